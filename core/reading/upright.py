"""Turning decoded pixels upright, in RGB and at most MAX_SIDE large, part by part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..types import UInt8Array
from .colour import ColourConversion
from .limits import MAX_SIDE
from .orientation import find_orientation
from .pictures import Picture

_PART_PIXELS = 2**20
_FILTER = Image.Resampling.BICUBIC
_FILTER_REACH = 2
"""Source pixels that the bicubic filter looks to each side, at scale one."""


def make_upright(image: Picture) -> tuple[UInt8Array, bool]:
    """Return the pixels of a loaded image, and whether width and height were swapped.

    Works part by part: besides the decoder's image only the result is held.
    """
    orientation = find_orientation(image.info)
    turned = orientation >= 5
    width, height = _reduce_size(*image.size)
    shape = (width, height, 3) if turned else (height, width, 3)
    upright: UInt8Array = np.empty(shape, np.uint8)
    target = _view_as_stored(upright, orientation)
    conversion = ColourConversion.from_image(image)
    across, down = _Axis(image.width, width), _Axis(image.height, height)
    columns = max(1, int(_PART_PIXELS / max(1, across.scale * min(image.height, 64 * down.scale))))
    columns = min(width, columns)
    rows = max(1, int(_PART_PIXELS / (columns * across.scale * down.scale)))
    for left, right in _split(width, columns):
        for top, bottom in _split(height, rows):
            first_x, last_x, box_x = across.find_source(left, right)
            first_y, last_y, box_y = down.find_source(top, bottom)
            part = conversion.to_resizable(image.crop((first_x, first_y, last_x, last_y)))
            if (width, height) != image.size:
                box = (box_x[0], box_y[0], box_x[1], box_y[1])
                part = part.resize((right - left, bottom - top), _FILTER, box)
            target[top:bottom, left:right] = np.asarray(conversion.to_rgb(part))
    upright.setflags(write=False)
    return upright, turned


@dataclass(frozen=True, slots=True)
class _Axis:
    """Rows or columns, before and after the picture is reduced."""

    stored: int
    reduced: int

    @property
    def scale(self) -> float:
        return self.stored / self.reduced

    def find_source(self, start: int, end: int) -> tuple[int, int, tuple[float, float]]:
        """Return which stored rows are needed, and where among them the reduced ones begin and end.

        The filter may read rows beyond the part, but not beyond the image.
        """
        if self.stored == self.reduced:
            return start, end, (0.0, float(end - start))
        reach = math.ceil(_FILTER_REACH * self.scale) + 1
        first = max(0, math.floor(start * self.scale) - reach)
        last = min(self.stored, math.ceil(end * self.scale) + reach)
        return first, last, (start * self.scale - first, min(end * self.scale, last) - first)


def _split(length: int, step: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, step):
        yield start, min(start + step, length)


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
