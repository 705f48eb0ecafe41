"""Decodes one file's bytes into upright RGB pixels, with as little memory as will do."""

from __future__ import annotations

import contextlib
import io
import math
import threading
from collections.abc import Iterator

import numpy as np

# Importing the two plug-ins registers them; Pillow would load all of its forty otherwise.
from PIL import Image, TiffImagePlugin, WebPImagePlugin  # noqa: F401

from ..errors import ImageTooLarge, InputError, UnreadableImage
from ..types import UInt8Array
from .colour import ColourConversion, keep_transparent_colour
from .formats import Format
from .limits import (
    CONCURRENT_DECODES,
    MAX_PIXELS,
    MAX_PIXELS_WHOLE,
    MAX_SIDE,
    REDUCE,
    SAVE_AGAIN,
    check_pixels,
)
from .screening import Screened, check_run_lengths, screen
from .silence import silence_decoders
from .tag_directories import read_orientation

_BAND_PIXELS = 2**20
_FILTER = Image.Resampling.BICUBIC
_FILTER_REACH = 2
"""Source pixels that the bicubic filter looks to each side, at scale one."""
_RUN_LENGTHS = (1, 2)
"""A BMP's compression when it is RLE8 or RLE4."""

_decodes = threading.BoundedSemaphore(CONCURRENT_DECODES)


def decode(data: bytes, kind: Format) -> tuple[UInt8Array, tuple[str, ...]]:
    """Return upright (H, W, 3) uint8 RGB, read-only, with no side over MAX_SIDE; and notes.

    The notes say if only the first of several images was read, and if it was reduced. Raises
    InputError, and nothing else, whatever the bytes are.
    """
    with _decodes, silence_decoders(libtiff=kind is Format.TIFF), _translate_errors(kind):
        screened = screen(data, kind)
        image = Image.open(io.BytesIO(data), formats=(kind.value.upper(),))
        # Closing frees the pixels even if a traceback keeps the object. After a failed load() the
        # image must not be used: a second call mostly succeeds, with half of the pixels missing.
        with contextlib.closing(image):
            _check(image, kind, screened)
            stored = image.size
            keep_transparent_colour(image)
            if screened.scalable_wh == image.size:
                _reduce_while_decoding(image)
            image.load()
            pixels, turned = _make_upright(image)
            several = _has_several(image, kind, screened)
            notes = _make_notes(kind, stored[::-1] if turned else stored, pixels, several=several)
    return pixels, notes


@contextlib.contextmanager
def _translate_errors(kind: Format) -> Iterator[None]:
    """Turn every exception of Pillow into an InputError; the only place that does."""
    try:
        yield
    except InputError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageTooLarge(
            f"The picture is too large; at most {MAX_PIXELS // 10**6} megapixels are read.",
            hint=REDUCE,
        ) from error
    except Exception as error:
        # Decoders meet hostile bytes with nearly every built-in error (OSError, SyntaxError,
        # ValueError, TypeError, IndexError, KeyError, EOFError, struct.error, zlib.error, ...);
        # a list of them would be a list of those seen so far.
        raise UnreadableImage(
            f"This {kind.value} picture is damaged or cut off, or a kind of {kind.value} "
            "we can't read.",
            hint=SAVE_AGAIN,
        ) from error


def _check(image: Image.Image, kind: Format, screened: Screened) -> None:
    check_pixels(*image.size, MAX_PIXELS_WHOLE if kind is Format.WEBP else MAX_PIXELS)
    screened.check(kind.value, *image.size)
    if kind is Format.BMP and image.info.get("compression") in _RUN_LENGTHS:
        check_run_lengths(*image.size)


def _reduce_while_decoding(image: Image.Image) -> None:
    """Let the JPEG decoder skip detail that would be discarded or cost too much."""
    width, height = image.size
    divisor = 1
    for larger in (2, 4, 8):
        too_many = width * height > MAX_PIXELS_WHOLE * divisor**2
        if too_many or max(width, height) >= MAX_SIDE * larger:
            divisor = larger
    if divisor > 1:
        # Asking for this size makes Pillow choose this divisor.
        image.draft(image.mode, (max(1, width // divisor), max(1, height // divisor)))


def _make_upright(image: Image.Image) -> tuple[UInt8Array, bool]:
    """Return the pixels of a loaded image, and whether width and height were swapped.

    Works band by band: besides the decoder's image only the result is held.
    """
    # A TIFF has no such block; Pillow turns it itself.
    exif = image.info.get("exif")
    orientation = read_orientation(exif) if isinstance(exif, bytes) else 1
    turned = orientation >= 5
    width, height = _reduce_size(*image.size)
    shape = (width, height, 3) if turned else (height, width, 3)
    upright: UInt8Array = np.empty(shape, np.uint8)
    target = _view_as_stored(upright, orientation)
    conversion = ColourConversion.from_image(image)
    scale_x, scale_y = image.width / width, image.height / height
    reach = math.ceil(_FILTER_REACH * scale_y) + 1
    rows = max(1, int(_BAND_PIXELS / (image.width * scale_y)))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        # The filter may read rows beyond the band, but not beyond the image.
        first = max(0, math.floor(top * scale_y) - reach)
        last = min(image.height, math.ceil(bottom * scale_y) + reach)
        if (width, height) == image.size:
            first, last = top, bottom
        band = conversion.to_resizable(image.crop((0, first, image.width, last)))
        if (width, height) != image.size:
            end = min(bottom * scale_y - first, band.height)
            box = (0.0, top * scale_y - first, width * scale_x, end)
            band = band.resize((width, bottom - top), _FILTER, box)
        target[top:bottom] = np.asarray(conversion.to_rgb(band))
    upright.setflags(write=False)
    return upright, turned


def _reduce_size(width: int, height: int) -> tuple[int, int]:
    longest = max(width, height)
    if longest <= MAX_SIDE:
        return width, height
    return max(1, round(width * MAX_SIDE / longest)), max(1, round(height * MAX_SIDE / longest))


def _view_as_stored(upright: UInt8Array, orientation: int) -> UInt8Array:
    """Return a view of an upright image with rows and columns in the order of the file."""
    views = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: upright.swapaxes(0, 1)[::-1],
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: upright.swapaxes(0, 1)[:, ::-1],
    }
    return views[orientation]


def _has_several(image: Image.Image, kind: Format, screened: Screened) -> bool:
    if kind is Format.GIF:
        return screened.several_frames  # Pillow would read on, and fail if the rest is damaged
    return bool(getattr(image, "is_animated", False))


def _make_notes(
    kind: Format, stored: tuple[int, int], pixels: UInt8Array, *, several: bool
) -> tuple[str, ...]:
    notes = []
    # Further images in a JPEG are previews, depth or gain maps, or the other eye's view of the
    # same moment: nothing that a person would miss.
    if several and kind is Format.TIFF:
        notes.append("The file holds several pages; only the first was read.")
    elif several and kind is not Format.JPEG:
        notes.append("The file is an animation; only its first frame was read.")
    height, width = pixels.shape[:2]
    if (width, height) != stored:
        notes.append(
            f"The picture was reduced from {stored[0]} x {stored[1]} to {width} x {height} pixels; "
            "boxes refer to the reduced picture."
        )
    return tuple(notes)
