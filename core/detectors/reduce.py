"""The smaller picture that a detector looks at."""

from __future__ import annotations

import cv2
import numpy as np

from ..types import UInt8Array


def reduced_to(pixels: UInt8Array, longest_px: int) -> UInt8Array:
    """(H, W, 3) pixels with no side longer than ``longest_px``; the same array where none is."""
    height, width = pixels.shape[:2]
    scale = longest_px / max(height, width)
    if scale >= 1.0:
        return pixels
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA), dtype=np.uint8)
