"""What can be measured in the pixels of a face, whoever it shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import Float32Array, UInt8Array


def brightness(face: UInt8Array) -> float:
    """Mean grey value, 0..1. It is the light of the picture, and no measure of skin."""
    return float(face.mean() / 255)


def contrast(face: UInt8Array) -> float:
    """Standard deviation of the grey value, 0..1."""
    return float(face.std() / 255)


def sharpness(face: UInt8Array) -> float:
    """Variance of the Laplacian over the variance of the grey values: contrast does not count."""
    grey: Float32Array = face.astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 1.0))


def light_asymmetry(face: UInt8Array) -> float:
    """Difference of both halves' mean grey values as a share of their sum, 0..1."""
    middle = face.shape[1] // 2
    left, right = float(face[:, :middle].mean()), float(face[:, -middle:].mean())
    return abs(left - right) / max(left + right, 1.0)


MEASURES = {
    "brightness": brightness,
    "contrast": contrast,
    "sharpness": sharpness,
    "light_asymmetry": light_asymmetry,
}


def measure_appearance(faces: UInt8Array, name: str) -> NDArray[np.float64]:
    """(N,) values of the measure called ``name`` for (N, 48, 48) ``faces``."""
    measure = MEASURES[name]
    return np.array([measure(face) for face in faces], dtype=np.float64)
