"""Labelled faces: how they are read, split, augmented and grouped."""
