"""Converting every kind of decoded pixels to 8-bit sRGB."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from .colour_profiles import drop_float_tags
from .pictures import Picture

_DEEP = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
"""Pillow's modes with one channel of more than eight bits, which its own conversion clips."""
_USUAL_WHITES = (1.0, 255.0, 65535.0)
"""Largest values of floating-point, 8-bit and 16-bit images."""
_BAND_PIXELS = 2**20
"""Pixels handled at a time, so that a conversion never holds the whole image twice."""


@dataclass(frozen=True, slots=True)
class ToneRange:
    """Which values of a deep image are black and white."""

    black: float
    white: float

    @classmethod
    def from_image(cls, image: Picture) -> ToneRange:
        """Return the usual range that holds all values, or the image's own range.

        The latter is for images with negative values, or that use less than a sixteenth of the
        usual range, such as 12-bit values in 16-bit words.
        """
        low, high = 0.0, 0.0
        for band in split_into_bands(image):
            values = np.asarray(band)
            finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        whites = _USUAL_WHITES if image.mode == "F" else _USUAL_WHITES[1:]
        fitting = [white for white in whites if low >= 0 and white / 16 <= high <= white]
        return cls(low, fitting[0] if fitting else high)

    def to_grey(self, values: NDArray[np.generic]) -> NDArray[np.uint8]:
        """Return values as 0..255; NaN becomes black."""
        span = (self.white - self.black) or 1.0
        scaled = (values.astype(np.float64) - self.black) * (255.0 / span)
        grey: NDArray[np.uint8] = np.rint(np.nan_to_num(scaled).clip(0.0, 255.0)).astype(np.uint8)
        return grey


@dataclass(frozen=True, slots=True)
class ColourConversion:
    """How the pixels of one image become RGB; made once, then applied band by band."""

    tones: ToneRange | None
    inverted: bool
    profile: ImageCms.ImageCmsTransform | None

    @classmethod
    def from_image(cls, image: Picture) -> ColourConversion:
        """Return the conversion for a loaded image."""
        deep = image.mode in _DEEP
        tags = getattr(image, "tag_v2", {})
        return cls(
            tones=ToneRange.from_image(image) if deep else None,
            # Pillow inverts "white is zero" in 8-bit images but not in deep ones.
            inverted=deep and tags.get(262, 1) == 0,
            profile=_make_srgb_transform(image),
        )

    def to_resizable(self, band: Image.Image) -> Image.Image:
        """Return the band as L, LA, RGB, RGBA or CMYK, whose values can be averaged."""
        if self.tones is not None:
            return self._convert_deep(band, self.tones)
        mode, transparent = band.mode, band.has_transparency_data
        if mode in ("LA", "RGBA", "CMYK"):
            return band
        if mode in ("1", "L", "La"):
            return band.convert("LA" if transparent else "L")
        if mode in ("P", "PA", "RGB", "RGBa"):
            return band.convert("RGBA" if transparent else "RGB")
        return band.convert("RGB")  # RGBX, YCbCr, LAB, HSV

    def to_rgb(self, band: Image.Image) -> Image.Image:
        """Return a resizable band as RGB on white, in sRGB if it has a usable profile."""
        if band.mode in ("LA", "RGBA"):
            opaque = Image.new("L" if band.mode == "LA" else "RGB", band.size, "white")
            opaque.paste(band.convert(opaque.mode), mask=band.getchannel("A"))
            band = opaque
        if self.profile is not None:
            return self.profile.apply(band)
        return band.convert("RGB")

    def _convert_deep(self, band: Image.Image, tones: ToneRange) -> Image.Image:
        values = np.asarray(band)
        grey = tones.to_grey(values)
        image = Image.fromarray(255 - grey if self.inverted else grey)
        hidden = band.info.get("transparency")
        if isinstance(hidden, int):
            alpha = np.where(values == hidden, 0, 255).astype(np.uint8)
            return Image.merge("LA", (image, Image.fromarray(alpha)))
        return image


def split_into_bands(image: Picture) -> Iterator[Image.Image]:
    """Yield the image in horizontal bands of bounded size, from the top."""
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def keep_transparent_colour(image: Image.Image) -> None:
    """Convert a PNG's transparent colour to eight bits, before the pixels are loaded.

    It has the file's bit depth, and Pillow scales the pixels but not this colour.
    """
    hidden = image.info.get("transparency")
    tiles = getattr(image, "tile", None)
    raw = tiles[0].args if tiles else None
    if isinstance(hidden, tuple) and raw == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in hidden)
    elif isinstance(hidden, int) and raw in ("L;2", "L;4"):
        image.info["transparency"] = hidden * (85 if raw == "L;2" else 17)


def _make_srgb_transform(image: Picture) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from the image's colours to sRGB; None without a usable profile."""
    embedded = image.info.get("icc_profile")
    if not isinstance(embedded, bytes) or not embedded:
        return None
    mode = _get_flat_mode(image.mode)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(drop_float_tags(embedded)))
        if (source.profile.profile_description or "").startswith("sRGB"):
            return None  # the usual case; a conversion would change nothing
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None  # damaged, or a profile for other pixels: read the image without it


def _get_flat_mode(mode: str) -> str:
    """Return the mode of a band in ``to_rgb`` before the profile is applied."""
    if mode == "CMYK":
        return mode
    return "L" if mode in _DEEP or mode in ("1", "L", "LA", "La") else "RGB"
