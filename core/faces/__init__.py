"""Faces in an image: boxes, alignment, cropping, preprocessing and quality."""
