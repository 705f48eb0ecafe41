"""Decoded pictures that are not Pillow's."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image


class DecodedPicture:
    """Decoded pixels that stay where the decoder put them; parts of them become Pillow images.

    A copy in Pillow's memory, at four bytes a pixel, would double what a large photo takes.
    """

    def __init__(self, pixels: NDArray[np.generic], mode: str, info: dict[str, Any]) -> None:
        self._pixels = pixels
        self.mode = mode
        self.height, self.width = pixels.shape[:2]
        self.size = self.width, self.height
        self.info = info

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """Return the part from (left, top) to (right, bottom)."""
        left, top, right, bottom = box
        part = np.ascontiguousarray(self._pixels[top:bottom, left:right])
        return Image.frombytes(self.mode, (right - left, bottom - top), part.tobytes())


Picture: TypeAlias = Image.Image | DecodedPicture
"""What is converted to upright RGB."""
