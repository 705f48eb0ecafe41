"""Answers as images and documents."""
