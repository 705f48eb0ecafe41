"""Labelled faces: reading, splitting, augmenting, and telling them apart."""
