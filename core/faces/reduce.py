"""Smaller pictures for networks to look at."""

from __future__ import annotations

import cv2
import numpy as np

from ..types import UInt8Array

_HALVED_FROM = 1.75
"""Pixels a pixel, along a side, from which a picture is halved; what is left then is at most so
much, where sampling between two pixels hardly aliases, and at least half of it."""


def reduced_to(pixels: UInt8Array, longest_px: int) -> UInt8Array:
    """(H, W, 3) pixels with no side longer than ``longest_px``; the same array where none is."""
    height, width = pixels.shape[:2]
    scale = longest_px / max(height, width)
    if scale >= 1.0:
        return pixels
    return shrunk(pixels, (max(1, round(width * scale)), max(1, round(height * scale))))


def shrunk(pixels: UInt8Array, size_wh: tuple[int, int]) -> UInt8Array:
    """(H, W, 3) pixels at a smaller size of about the same shape.

    Halved as often as fits, then sampled. Averaging exactly the pixels that each new one covers
    (``INTER_AREA``) takes three to six times as long, as only halving is quick in OpenCV, and
    detectors find the same faces.
    """
    longest = max(size_wh)
    while max(pixels.shape[:2]) >= _HALVED_FROM * longest and min(pixels.shape[:2]) > 1:
        pixels = _halved(pixels)
    if pixels.shape[1::-1] == size_wh:
        return pixels
    return np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)


def _halved(pixels: UInt8Array) -> UInt8Array:
    """Each two by two pixels as their mean; an odd last row or column goes."""
    height, width = (side // 2 for side in pixels.shape[:2])
    even = pixels[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
