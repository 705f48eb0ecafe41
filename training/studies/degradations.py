"""Faces made worse by a stated kind and amount, to see what the answers depend on."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import cv2
import numpy as np

from core.faces.alignment import CROP_PX, FaceFrame
from core.types import UInt8Array


class Degradation(StrEnum):
    """How a face is made worse."""

    GAMMA = "gamma"
    """Exponent of the grey value: below 1 brighter, above 1 darker."""
    BLUR = "blur"
    """Standard deviation of a Gaussian, in pixels of 48."""
    NOISE = "noise"
    """Standard deviation of Gaussian noise, in grey values of 255."""
    JPEG = "jpeg"
    """Quality of JPEG, 100 to 1: smaller is worse."""
    ROTATION = "rotation"
    """Degrees, to either side by chance."""
    EYES = "eyes"
    """Height in pixels of 48 of a plain bar across the eyes."""
    MOUTH = "mouth"
    """Height in pixels of 48 of a plain bar across the mouth."""


LEVELS: dict[Degradation, tuple[float, ...]] = {
    Degradation.GAMMA: (0.4, 0.6, 1.5, 2.5, 4.0),
    Degradation.BLUR: (0.5, 1.0, 1.5, 2.0, 3.0),
    Degradation.NOISE: (5.0, 10.0, 20.0, 40.0),
    Degradation.JPEG: (50.0, 20.0, 10.0, 5.0),
    Degradation.ROTATION: (10.0, 20.0, 30.0, 45.0),
    Degradation.EYES: (4.0, 8.0, 12.0, 16.0),
    Degradation.MOUTH: (4.0, 8.0, 12.0, 16.0),
}
"""What is tried; from hardly visible to worse than a person would send."""
UNCHANGED: dict[Degradation, float] = {
    **dict.fromkeys(Degradation, 0.0),
    Degradation.GAMMA: 1.0,
    Degradation.JPEG: 100.0,
}
"""Where each curve begins: the level that leaves a face as it is."""


def degrade_faces(
    faces: UInt8Array, kind: Degradation, level: float, *, seed: int = 0
) -> UInt8Array:
    """(N, 48, 48) uint8 ``faces`` made worse; the same ``seed`` gives the same chances.

    The chances of a face do not depend on the level, so that levels differ in it alone.
    """
    change = _CHANGES[kind]
    return np.stack(
        [
            change(face, level, np.random.default_rng((seed, index)))
            for index, face in enumerate(faces)
        ]
    )


def _gamma(face: UInt8Array, level: float, _draw: np.random.Generator) -> UInt8Array:
    return np.asarray(np.rint(255 * (face / 255.0) ** level), dtype=np.uint8)


def _blur(face: UInt8Array, level: float, _draw: np.random.Generator) -> UInt8Array:
    return np.asarray(cv2.GaussianBlur(face, (0, 0), level), dtype=np.uint8)


def _noise(face: UInt8Array, level: float, draw: np.random.Generator) -> UInt8Array:
    noisy = face + level * draw.standard_normal(face.shape)
    return np.asarray(np.rint(np.clip(noisy, 0, 255)), dtype=np.uint8)


def _jpeg(face: UInt8Array, level: float, _draw: np.random.Generator) -> UInt8Array:
    encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(level)])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def _rotation(face: UInt8Array, level: float, draw: np.random.Generator) -> UInt8Array:
    # cv2 counts from the middle of the first pixel.
    middle = ((CROP_PX - 1) / 2, (CROP_PX - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, float(draw.choice((-1, 1))) * level, 1.0)
    size = (CROP_PX, CROP_PX)
    turned = cv2.warpAffine(
        face, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(turned, dtype=np.uint8)


def _bar(middle: float) -> Callable[[UInt8Array, float, np.random.Generator], UInt8Array]:
    """Covers a band with the face's mean grey value: neither as dark as glasses nor as a mask."""

    def cover(face: UInt8Array, level: float, _draw: np.random.Generator) -> UInt8Array:
        covered = face.copy()
        top = max(0, round(middle - level / 2))
        covered[top : round(middle + level / 2)] = np.uint8(round(float(face.mean())))
        return covered

    return cover


_FRAME = FaceFrame()
_CHANGES: dict[Degradation, Callable[[UInt8Array, float, np.random.Generator], UInt8Array]] = {
    Degradation.GAMMA: _gamma,
    Degradation.BLUR: _blur,
    Degradation.NOISE: _noise,
    Degradation.JPEG: _jpeg,
    Degradation.ROTATION: _rotation,
    Degradation.EYES: _bar((_FRAME.left_eye[1] + _FRAME.right_eye[1]) / 2),
    Degradation.MOUTH: _bar(_FRAME.mouth[1]),
}
