"""How much one picture may cost, and the errors that say it would cost more."""

from __future__ import annotations

from ..errors import ImageTooLarge

MAX_BYTES = 20 * 1024 * 1024
"""Of a file: what both web pages let through, and more than phones write for one photo."""

MAX_PIXELS = 50_000_000
"""Of a picture as stored: the largest ordinary cameras; 200 MB while Pillow holds it."""

MAX_PIXELS_WHOLE = 25_000_000
"""Of a picture that is decoded at full size although it could be larger than is needed.

WebP has no reduced decoding and its decoder keeps three more copies; a JPEG above this is
decoded at half size or less. 100 MB per copy, at the four bytes that Pillow spends on a pixel.
"""

MAX_SIDE = 4096
"""Longest side of what the reader returns.

Keeps 12-megapixel phone photos (4032 x 3024) whole, bounds the result to 50 MB, and still shows
a face that spans one hundredth of the picture at 40 pixels, about FER-2013's own 48.
"""

CONCURRENT_DECODES = 2
"""At once in one process, so that a burst of uploads costs two pictures of memory, not fifty."""

DECODE_SECONDS = 20
"""For one picture in another process: nine times what the slowest allowed one takes."""


def check_bytes(size: int) -> None:
    """Raise ImageTooLarge for a file of more than MAX_BYTES."""
    if size > MAX_BYTES:
        raise ImageTooLarge(
            f"The file has {size / 1024**2:.1f} MB; at most {MAX_BYTES // 1024**2} MB are read.",
            hint="Save the picture smaller or as JPEG, then try again.",
        )


def check_pixels(width: int, height: int, limit: int = MAX_PIXELS) -> None:
    """Raise ImageTooLarge for a picture of more than ``limit`` pixels."""
    if width * height > limit:
        raise ImageTooLarge(
            f"The picture has {width} x {height} pixels ({width * height / 1e6:.1f} megapixels); "
            f"at most {limit / 1e6:.0f} megapixels are read.",
            hint="Reduce it, for example to 4000 pixels on its longer side, then try again.",
        )


def too_costly_error(format_name: str, what: str) -> ImageTooLarge:
    """The error for a small file that is built to cost far more than a picture of its size."""
    return ImageTooLarge(
        f"Reading this {format_name} would take far more memory or time than its picture needs: "
        f"{what}.",
        hint="Open it in an image editor and save it anew, then try again.",
    )
