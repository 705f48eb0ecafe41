"""A public-domain portrait to try the pages with."""

from __future__ import annotations

from pathlib import Path

SAMPLE_NAME = "astronaut.png"
SAMPLE_CREDIT = "NASA astronaut Eileen Collins. Photo: NASA, public domain."


def sample_photo() -> bytes:
    """Return the file: 512 x 512, one face."""
    return Path(__file__).with_name(SAMPLE_NAME).read_bytes()
