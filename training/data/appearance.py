"""Measures of a face picture that do not depend on who is in it."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import Float32Array, UInt8Array


def measure_brightness(face: UInt8Array) -> float:
    """Return the mean grey value, 0..1: the light of the picture, not the tone of the skin."""
    return float(face.mean() / 255)


def measure_contrast(face: UInt8Array) -> float:
    """Return the standard deviation of the grey value, 0..1."""
    return float(face.std() / 255)


def measure_sharpness(face: UInt8Array) -> float:
    """Return the variance of the Laplacian over that of the grey values, whatever the contrast."""
    grey: Float32Array = face.astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 1.0))


def measure_light_asymmetry(face: UInt8Array) -> float:
    """Return the difference of both halves' mean grey values as a share of their sum, 0..1."""
    middle = face.shape[1] // 2
    left, right = float(face[:, :middle].mean()), float(face[:, -middle:].mean())
    return abs(left - right) / max(left + right, 1.0)


MEASURES = {
    "brightness": (
        measure_brightness,
        "mean grey value, 0 to 1; the picture's light, not a person's skin",
    ),
    "contrast": (measure_contrast, "standard deviation of the grey value, 0 to 1"),
    "sharpness": (measure_sharpness, "variance of the Laplacian over that of the grey values"),
    "light_asymmetry": (
        measure_light_asymmetry,
        "difference of the halves' mean grey values, share of their sum",
    ),
}
"""By name the function and the description of its value."""
