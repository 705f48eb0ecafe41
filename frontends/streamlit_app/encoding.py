"""Pictures as files."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from core import RgbImage

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_LONGEST_SIDE = 2000
"""Longest side of a picture as shown: sharp on a wide screen, quick to send."""


def encode_for_screen(image: RgbImage, longest_side: int = _LONGEST_SIDE) -> bytes:
    """Return a JPEG, not larger than a wide screen shows."""
    from PIL import Image

    picture = Image.fromarray(image.pixels)
    picture.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    return _to_jpeg(picture)


def encode_jpeg(image: RgbImage) -> bytes:
    """Return a JPEG in full size, with nothing but the pixels."""
    from PIL import Image

    return _to_jpeg(Image.fromarray(image.pixels))


def _to_jpeg(picture: Picture) -> bytes:
    buffer = BytesIO()
    # Full chroma keeps the thin coloured frames and the lettering clean.
    picture.save(buffer, format="JPEG", quality=92, subsampling=0)
    return buffer.getvalue()
