"""Faces in moving pictures: searched for seldom, followed between, frame by frame."""
