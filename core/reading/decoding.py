"""Decodes one file's bytes into upright RGB pixels, with as little memory as will do."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

# Importing the two plug-ins registers them; Pillow would load all of its forty otherwise.
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, WebPImagePlugin  # noqa: F401

from ..errors import ImageTooLarge, InputError, UnsupportedImage
from ..types import UInt8Array
from .colour import keep_transparent_colour
from .formats import Format
from .jpeg_ends import open_without_end
from .limits import (
    CONCURRENT_DECODES,
    MAX_PIXELS,
    MAX_PIXELS_WHOLE,
    MAX_SIDE,
    REDUCE,
    NoteSize,
    check_pixels,
    damaged_error,
)
from .media_decoding import decode_heic, load_heif, open_avif
from .media_screening import screen_media
from .pictures import Picture
from .png_chunks import strip_png
from .screening import Screened, check_run_lengths, screen
from .silence import find_handler_setters, silence_decoders
from .upright import make_upright

_RUN_LENGTHS = (1, 2)
"""A BMP's compression when it is RLE8 or RLE4."""
_PHOTOMETRIC, _PLANES, _YCBCR = 262, 284, 6

_decodes = threading.BoundedSemaphore(CONCURRENT_DECODES)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A decoded picture."""

    image: Picture
    stored: tuple[int, int]
    """Width and height in the file."""
    several: bool
    """Whether the file holds more pictures."""


def load_decoders() -> None:
    """Load what decoding would load at its first file of a kind, while this process still can."""
    Image.preinit()
    for name in ("ImageColor", "ImageFilter", "MpoImagePlugin"):
        import_module(f"PIL.{name}")
    find_handler_setters()
    with contextlib.suppress(UnsupportedImage):
        load_heif()


def decode(
    data: bytes, kind: Format, note_size: NoteSize = lambda *_: None
) -> tuple[UInt8Array, tuple[str, ...]]:
    """Return upright (H, W, 3) uint8 RGB, read-only, with no side over MAX_SIDE; and notes.

    The notes say if only the first of several images was read, and if it was reduced.
    ``note_size`` is called with width and height once they are known, before the pixels are read.
    Raises InputError, and nothing else, whatever the bytes are.
    """
    with (
        _decodes,
        silence_decoders(libtiff=kind is Format.TIFF),
        _translate_errors(kind),
        contextlib.ExitStack() as opened,
    ):
        if kind is Format.HEIC:
            loaded = _load_heic(data, note_size)
        elif kind is Format.AVIF:
            loaded = _load_avif(data, opened, note_size)
        else:
            loaded = _load_with_pillow(data, kind, opened, note_size)
        pixels, turned = make_upright(loaded.image)
        stored = loaded.stored[::-1] if turned else loaded.stored
        notes = _make_notes(kind, stored, pixels, several=loaded.several)
    return pixels, notes


@contextlib.contextmanager
def _translate_errors(kind: Format) -> Iterator[None]:
    """Turn every exception of a decoder into an InputError; the only place that does."""
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
        raise damaged_error(kind.value) from error


def _load_heic(data: bytes, note_size: NoteSize) -> _Loaded:
    screened = screen_media(data, Format.HEIC)
    image = decode_heic(screened.lean, note_size)
    check_pixels(*image.size)
    return _Loaded(image, image.size, screened.several)


def _load_avif(data: bytes, opened: contextlib.ExitStack, note_size: NoteSize) -> _Loaded:
    screened = screen_media(data, Format.AVIF)
    image = opened.enter_context(contextlib.closing(open_avif(screened.lean)))
    check_pixels(*image.size)
    note_size(*image.size)
    image.load()
    return _Loaded(image, image.size, screened.several)


def _load_with_pillow(
    data: bytes, kind: Format, opened: contextlib.ExitStack, note_size: NoteSize
) -> _Loaded:
    screened = screen(data, kind)
    info: dict[str, bytes] = {}
    if kind is Format.PNG:
        lean = strip_png(data)
        data, info = lean.data, lean.info
    # Closing frees the pixels even if a traceback keeps the object. After a failed load() the
    # image must not be used: a second call mostly succeeds, with half of the pixels missing.
    image: Image.Image = Image.open(io.BytesIO(data), formats=(kind.value.upper(),))
    opened.enter_context(contextlib.closing(image))
    _check(image, kind, screened)
    stored = image.size
    note_size(*stored)
    keep_transparent_colour(image)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _prepare_tiff(image)

    def load(picture: Image.Image) -> None:
        if screened.scalable_wh == picture.size:
            _reduce_while_decoding(picture)
        picture.load()

    try:
        load(image)
    except OSError:
        pixels = stored[0] * stored[1]
        complete = open_without_end(data, pixels, load) if kind is Format.JPEG else None
        if complete is None:
            raise
        image = opened.enter_context(contextlib.closing(complete))
    image.info.update(info)
    return _Loaded(image, stored, _has_several(image, kind, screened))


def _check(image: Image.Image, kind: Format, screened: Screened) -> None:
    check_pixels(*image.size, MAX_PIXELS_WHOLE if kind is Format.WEBP else MAX_PIXELS)
    screened.check(kind.value, *image.size)
    if kind is Format.BMP and image.info.get("compression") in _RUN_LENGTHS:
        check_run_lengths(*image.size)


def _prepare_tiff(image: ImageFile.ImageFile) -> None:
    """Correct what Pillow makes of rare kinds of TIFF, before the pixels are loaded."""
    tags = getattr(image, "tag_v2", {})
    if ExifTags.Base.Orientation in tags:
        # Pillow turns the picture itself, so what XMP says must not turn it again.
        image.info.pop("xmp", None)
    raw = image.tile and image.tile[0][0] == "raw"
    if raw and tags.get(_PHOTOMETRIC) == _YCBCR and image.mode == "RGB":
        if tags.get(_PLANES, 1) != 1:
            raise damaged_error(Format.TIFF.value)  # Pillow would show brightness as red
        # Pillow takes these uncompressed values for RGB; libtiff converts them.
        settings = ("RGBX", "raw", False, getattr(tags, "offset", 0))
        whole = image.tile[0]._replace(extents=(0, 0, *image.size), offset=0)
        image.tile = [whole._replace(codec_name="libtiff", args=settings)]
        image.use_load_libtiff = True  # type: ignore[attr-defined]


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
    elif several and kind is Format.HEIC:
        notes.append("The file holds several pictures; only the main one was read.")
    elif several and kind is not Format.JPEG:
        notes.append("The file is an animation; only its first frame was read.")
    height, width = pixels.shape[:2]
    if (width, height) != stored:
        notes.append(
            f"The picture was reduced from {stored[0]} x {stored[1]} to {width} x {height} pixels; "
            "boxes refer to the reduced picture."
        )
    return tuple(notes)
