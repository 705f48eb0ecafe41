"""Resizing and normalising a face: the only place, for training and for serving."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass

import cv2
import numpy as np

from ..types import Float32Array, UInt8Array

_MOST_PX = 1024
"""Faces have 48 pixels a side when they are enlarged to this."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a grey crop becomes a network's input; travels with the weights."""

    input_px: int
    """Side of the square the network sees."""
    mean: float
    """Subtracted from grey values in 0..1."""
    std: float
    """Divides after the subtraction."""

    def __post_init__(self) -> None:
        if not 1 <= operator.index(self.input_px) <= _MOST_PX:  # TypeError unless an integer
            raise ValueError(f"input_px must lie between 1 and {_MOST_PX}, got {self.input_px}")
        if not (math.isfinite(self.mean) and 0 < self.std < math.inf):
            raise ValueError(f"mean and std must be finite, std positive, got {self}")

    def resize(self, crop: UInt8Array) -> UInt8Array:
        """Return the grey crop (H, W) at (input_px, input_px), uint8.

        Bicubic, because FER-2013 faces are enlarged and bilinear would soften their edges.
        """
        size = (self.input_px, self.input_px)
        if crop.shape == size:
            return crop
        return np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)

    def normalise(self, grey: UInt8Array) -> Float32Array:
        """Return (N, S, S) uint8 as (N, 3, S, S) float32, the grey value in each channel."""
        scaled = (grey.astype(np.float32) / 255.0 - self.mean) / self.std
        return np.repeat(scaled[:, None], 3, axis=1)

    def __call__(self, crops: UInt8Array) -> Float32Array:
        """Return (N, H, W) uint8 grey crops as the network's (N, 3, S, S) float32 input."""
        if crops.ndim != 3 or crops.dtype != np.uint8:
            raise ValueError(f"expected uint8 crops (N, H, W), got {crops.dtype} {crops.shape}")
        side = self.input_px
        resized = np.empty((len(crops), side, side), dtype=np.uint8)
        for index, crop in enumerate(crops):
            resized[index] = self.resize(crop)
        return self.normalise(resized)
