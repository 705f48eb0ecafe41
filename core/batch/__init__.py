"""Folders of photos: every one answered exactly once, whatever happens on the way."""
