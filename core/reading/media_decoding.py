"""Opening HEIC files with pillow-heif and AVIF files with Pillow's own plug-in."""

from __future__ import annotations

import importlib
import io
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, features

from ..errors import UnsupportedImage
from .formats import Format
from .limits import NoteSize
from .pictures import DecodedPicture

_CHANNELS = {"L": 1, "LA": 2, "La": 2, "RGB": 3, "RGBA": 4, "RGBa": 4, "I;16": 1}


def decode_heic(data: bytes, note_size: NoteSize) -> DecodedPicture:
    """Return the main picture of a HEIC file, turned as the file says.

    ``note_size`` is called with the width and height that the file states, before decoding.
    The decoder applies the turns of the format; the orientation in EXIF is only a copy for
    programs that know nothing else, and applying it too would turn the picture twice.
    """
    module = load_heif()
    file = module.open_heif(data, convert_hdr_to_8bit=True, remove_stride=False)
    picture = file[file.primary_index]
    note_size(*picture.size)
    content = picture.data  # the pixels are decoded here, which may still change the size
    deep = picture.mode == "I;16"  # grey of more than eight bits
    pixels: NDArray[np.generic] = np.ndarray(
        (picture.size[1], picture.size[0], _CHANNELS[picture.mode]),
        np.dtype("<u2") if deep else np.uint8,
        content,
        # Rows may be longer than their pixels, by a part of a pixel too.
        strides=(picture.stride, _CHANNELS[picture.mode] * (1 + deep), 1 + deep),
    )
    profile = picture.info.get("icc_profile")
    return DecodedPicture(pixels, picture.mode, {"icc_profile": profile} if profile else {})


def open_avif(data: bytes) -> Image.Image:
    """Return an AVIF picture whose pixels are not decoded yet.

    Its ``info`` has the turns of the format as an EXIF orientation.
    """
    if not features.check("avif"):
        raise missing_decoder_error(Format.AVIF, "Pillow was built without it")
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each would keep frames of its own
    return AvifImagePlugin.AvifImageFile(io.BytesIO(data))


def missing_decoder_error(kind: Format, why: str) -> UnsupportedImage:
    """Return the error for an installation that cannot read this format."""
    return UnsupportedImage(
        f"This installation can't read {kind.value} pictures: {why}.",
        hint="`emotion doctor` says how to fix it; or save the picture as JPEG and try again.",
    )


def load_heif() -> ModuleType:
    """Return the decoder of HEIC files; UnsupportedImage if it is missing."""
    try:
        # Only now: most processes never meet a HEIC file.
        module = importlib.import_module("pillow_heif")
    except ImportError as error:
        raise missing_decoder_error(
            Format.HEIC, "the package pillow-heif is missing or broken"
        ) from error
    module.options.DECODE_THREADS = 1  # each would take memory of its own
    module.options.THUMBNAILS = module.options.DEPTH_IMAGES = module.options.AUX_IMAGES = False
    return module
