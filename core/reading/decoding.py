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
from .color import ColorConversion, keep_transparent_color
from .formats import Format
from .limits import CONCURRENT_DECODES, MAX_PIXELS, MAX_PIXELS_WHOLE, MAX_SIDE, check_pixels
from .quiet import quiet
from .screening import Screened, check_run_lengths, screen
from .tag_directories import exif_orientation

_BAND_PIXELS = 2**20
_FILTER = Image.Resampling.BICUBIC
_FILTER_REACH = 2
"""Source pixels that the bicubic filter looks to each side, at scale one."""
_RUN_LENGTHS = (1, 2)
"""A BMP's compression when it is RLE8 or RLE4."""

_decodes = threading.BoundedSemaphore(CONCURRENT_DECODES)


def decode(data: bytes, kind: Format) -> tuple[UInt8Array, tuple[str, ...]]:
    """Upright (H, W, 3) uint8 RGB, read-only, its longer side at most MAX_SIDE; and notes.

    The notes say when only the first of several pictures was read, and when it was reduced.
    Raises InputError, and nothing else, for whatever the bytes hold.
    """
    with _decodes, quiet(libtiff=kind is Format.TIFF), _translate_errors(kind):
        screened = screen(data, kind)
        image = Image.open(io.BytesIO(data), formats=(kind.value.upper(),))
        # Closing frees the pixels even if an error's traceback keeps the object, and a picture
        # whose load() failed must not be asked again: the second time most succeed, half empty.
        with contextlib.closing(image):
            _check(image, kind, screened)
            stored = image.size
            keep_transparent_color(image)
            if screened.scalable_wh == image.size:
                _draft(image)
            image.load()
            pixels, turned = _upright_pixels(image)
            several = _has_several(image, kind, screened)
            notes = _notes(kind, stored[::-1] if turned else stored, pixels, several=several)
    return pixels, notes


@contextlib.contextmanager
def _translate_errors(kind: Format) -> Iterator[None]:
    """The one place where what Pillow raises becomes an InputError."""
    try:
        yield
    except InputError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageTooLarge(
            f"The picture is too large; at most {MAX_PIXELS // 10**6} megapixels are read.",
            hint="Reduce it, for example to 4000 pixels on its longer side, then try again.",
        ) from error
    except Exception as error:
        # Decoders meet hostile bytes with nearly every built-in error (OSError, SyntaxError,
        # ValueError, TypeError, IndexError, KeyError, EOFError, struct.error, zlib.error, ...);
        # a list of them would be a list of those seen so far.
        raise UnreadableImage(
            f"This {kind.value} picture is damaged or cut off, or of a variety that is not read.",
            hint="Open it in an image editor and save it anew, or get the original once more.",
        ) from error


def _check(image: Image.Image, kind: Format, screened: Screened) -> None:
    check_pixels(*image.size, MAX_PIXELS_WHOLE if kind is Format.WEBP else MAX_PIXELS)
    screened.check(kind.value, *image.size)
    if kind is Format.BMP and image.info.get("compression") in _RUN_LENGTHS:
        check_run_lengths(*image.size)


def _draft(image: Image.Image) -> None:
    """Let the JPEG decoder drop the detail that would be thrown away, or cost too much."""
    width, height = image.size
    divisor = 1
    for larger in (2, 4, 8):
        too_many = width * height > MAX_PIXELS_WHOLE * divisor**2
        if too_many or max(width, height) >= MAX_SIDE * larger:
            divisor = larger
    if divisor > 1:
        # Asking for exactly this size makes Pillow choose exactly this divisor.
        image.draft(image.mode, (max(1, width // divisor), max(1, height // divisor)))


def _upright_pixels(image: Image.Image) -> tuple[UInt8Array, bool]:
    """The pixels of a loaded picture, and whether they were turned onto their side for it.

    Works band by band: besides the decoder's own picture only the result is ever held.
    """
    orientation = _orientation(image)
    turned = orientation >= 5
    width, height = _reduced_size(*image.size)
    shape = (width, height, 3) if turned else (height, width, 3)
    upright: UInt8Array = np.empty(shape, np.uint8)
    target = _view_as_stored(upright, orientation)
    conversion = ColorConversion.of(image)
    scale_x, scale_y = image.width / width, image.height / height
    reach = math.ceil(_FILTER_REACH * scale_y) + 1
    rows = max(1, int(_BAND_PIXELS / (image.width * scale_y)))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        # The filter may look at rows beyond the band, but never beyond the picture.
        first = max(0, math.floor(top * scale_y) - reach)
        last = min(image.height, math.ceil(bottom * scale_y) + reach)
        if (width, height) == image.size:
            first, last = top, bottom
        band = conversion.resizable(image.crop((0, first, image.width, last)))
        if (width, height) != image.size:
            end = min(bottom * scale_y - first, band.height)
            box = (0.0, top * scale_y - first, width * scale_x, end)
            band = band.resize((width, bottom - top), _FILTER, box)
        target[top:bottom] = np.asarray(conversion.to_rgb(band))
    upright.setflags(write=False)
    return upright, turned


def _reduced_size(width: int, height: int) -> tuple[int, int]:
    longest = max(width, height)
    if longest <= MAX_SIDE:
        return width, height
    return max(1, round(width * MAX_SIDE / longest)), max(1, round(height * MAX_SIDE / longest))


def _orientation(image: Image.Image) -> int:
    # Of a TIFF, which Pillow turns itself, there is no such block.
    exif = image.info.get("exif")
    return exif_orientation(exif) if isinstance(exif, bytes) else 1


def _view_as_stored(upright: UInt8Array, orientation: int) -> UInt8Array:
    """A view of an upright picture in which rows and columns run as they do in the file."""
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
        return screened.several_frames  # Pillow would walk on, and fail where the rest is damaged
    return bool(getattr(image, "is_animated", False))


def _notes(
    kind: Format, stored: tuple[int, int], pixels: UInt8Array, *, several: bool
) -> tuple[str, ...]:
    notes = []
    # The further pictures of a many-picture JPEG are previews, depth or gain maps, or the other
    # eye's view of the same moment: nothing that a person would miss.
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
