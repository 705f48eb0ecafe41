"""Folders of photos: each file is analyzed exactly once, even if the run is interrupted."""
