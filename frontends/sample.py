"""A public-domain portrait to try the pages with."""

from __future__ import annotations

from importlib.resources import files

SAMPLE_NAME = "astronaut.png"
SAMPLE_CREDIT = "NASA astronaut Eileen Collins. Photo: NASA, public domain."


def sample_photo() -> bytes:
    """Return the file as scikit-image ships it: 512 x 512, one face."""
    return files("skimage.data").joinpath(SAMPLE_NAME).read_bytes()
