"""Faces in videos and camera streams."""
