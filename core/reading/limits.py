"""How much one image may cost, and the errors for those that would cost more."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..errors import ImageTooLarge, UnreadableImage

MAX_FILE_BYTES = 50 * 1024 * 1024
"""Largest file in bytes: more than phones and cameras write for one photo. Both web pages take the
same; a test holds `.streamlit/config.toml` to it."""

MAX_PIXELS = 50_000_000
"""Largest image as stored: that of the largest ordinary cameras; 200 MB in Pillow."""

MAX_PIXELS_WHOLE = 25_000_000
"""Largest image that is decoded at full size.

WebP cannot be decoded at a reduced size and its decoder keeps three more copies; a larger JPEG is
decoded at half size or less. A copy takes 100 MB, at Pillow's four bytes per pixel.
"""

MAX_STORED_SIDE = 1_000_000
"""Longest side of an image as stored: libpng's own limit. A decoder holds a few whole rows, and
keeps a note of each."""

MAX_SIDE = 4096
"""Longest side of what the reader returns.

Keeps 12-megapixel phone photos (4032 x 3024) as they are, bounds the result to 50 MB, and shows a
face that spans one hundredth of the image with 40 pixels, close to FER-2013's 48.
"""

CONCURRENT_DECODES = 2
"""Images decoded at once, so that a burst of uploads takes the memory of two images, not fifty."""

DECODE_SECONDS = 20
"""Time limit for one image, waiting for the processor included."""

_PROCESSOR_SECONDS, _PROCESSOR_SECONDS_PER_MEGAPIXEL = 3.0, 0.3
"""Of processor time; `python -m tests.benchmarks.picture_costs` measures how much is needed."""

SAVE_AGAIN = "Open it in an image editor and save it again, or get the original again."
REDUCE = "Reduce it, for example to 4000 pixels on its longer side, then try again."
"""Hints of several errors."""


def check_bytes(size: int) -> None:
    """Raise ImageTooLarge for a file of more than MAX_FILE_BYTES."""
    if size > MAX_FILE_BYTES:
        raise ImageTooLarge(
            f"The file has {_round_up(size / 1024**2)} MB; "
            f"at most {MAX_FILE_BYTES // 1024**2} MB are read.",
            hint="Save it smaller or as JPEG and try again.",
        )


def check_pixels(width: int, height: int, limit: int = MAX_PIXELS) -> None:
    """Raise ImageTooLarge for an image of more than ``limit`` pixels, or too long a side."""
    if max(width, height) > MAX_STORED_SIDE:
        raise ImageTooLarge(
            f"The picture has {width} x {height} pixels; at most {MAX_STORED_SIDE:,} on a side "
            "are read.",
            hint=REDUCE,
        )
    if width * height > limit:
        raise ImageTooLarge(
            f"The picture has {width} x {height} pixels "
            f"({_round_up(width * height / 1e6)} megapixels); "
            f"at most {limit / 1e6:.0f} megapixels are read.",
            hint=REDUCE,
        )


NoteSize = Callable[[int, int], None]
"""Called with an image's width and height once they are known, before its pixels are read."""


def processor_seconds(width: int = 0, height: int = 0) -> float:
    """Return the processor time that an image may take; zeros while its size is not known yet."""
    return _PROCESSOR_SECONDS + _PROCESSOR_SECONDS_PER_MEGAPIXEL * width * height / 1e6


def _round_up(value: float) -> str:
    """Return a value over its limit with one decimal; 20.01 must not read as the limit of 20."""
    return f"{math.ceil(value * 10) / 10:.1f}"


def too_costly_error(format_name: str, what: str) -> ImageTooLarge:
    """Return the error for a small file that is built to cost far more than its image needs."""
    return ImageTooLarge(
        f"Reading this {format_name} would take far more memory or time than its picture needs: "
        f"{what}.",
        hint="Open it in an image editor, save it again and retry.",
    )


def damaged_error(format_name: str) -> UnreadableImage:
    """Return the error for a file that no decoder can make sense of."""
    return UnreadableImage(
        f"This {format_name} picture is damaged or cut off, or a kind of {format_name} "
        "we can't read.",
        hint=SAVE_AGAIN,
    )
