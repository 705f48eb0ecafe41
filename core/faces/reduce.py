"""Shrinking images for the networks."""

from __future__ import annotations

import cv2
import numpy as np

from ..types import UInt8Array

_HALVED_FROM = 1.75
"""An image is halved while its side is at least this many times the wanted one. The rest is then
below this factor, where linear sampling hardly aliases."""


def shrink_to_fit(pixels: UInt8Array, longest_px: int) -> UInt8Array:
    """Return (H, W, 3) pixels with no side over ``longest_px``; the same array if none is."""
    height, width = pixels.shape[:2]
    scale = longest_px / max(height, width)
    if scale >= 1.0:
        return pixels
    return shrink(pixels, (max(1, round(width * scale)), max(1, round(height * scale))))


def shrink(pixels: UInt8Array, size_wh: tuple[int, int]) -> UInt8Array:
    """Return (H, W, 3) pixels at a smaller size of about the same aspect ratio.

    Halved as often as possible, then sampled. One step with ``INTER_AREA`` takes three to six
    times as long, as only halving is fast in OpenCV, and detectors find the same faces.
    """
    longest = max(size_wh)
    while max(pixels.shape[:2]) >= _HALVED_FROM * longest and min(pixels.shape[:2]) > 1:
        pixels = _halve(pixels)
    if pixels.shape[1::-1] == size_wh:
        return pixels
    return np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)


def _halve(pixels: UInt8Array) -> UInt8Array:
    """Average each 2 x 2 pixels; an odd last row or column is dropped."""
    height, width = (side // 2 for side in pixels.shape[:2])
    even = pixels[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
