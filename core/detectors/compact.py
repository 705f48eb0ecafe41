"""Our own detector behind the detector protocol."""

from __future__ import annotations

import cv2
import numpy as np

from ..types import UInt8Array
from .compact_network import PAD_TO

_PADDING = 114
"""Grey beyond the picture, as in training."""


def padded(pixels: UInt8Array) -> UInt8Array:
    """(H, W, 3) pixels with grey to the right and below, up to multiples the network takes."""
    height, width = pixels.shape[:2]
    bottom, right = -height % PAD_TO, -width % PAD_TO
    grey = (_PADDING, _PADDING, _PADDING)
    filled = cv2.copyMakeBorder(pixels, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=grey)
    return np.asarray(filled, dtype=np.uint8)
