"""Faces degraded by a known kind and amount, to see what the answers depend on."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np

from core.faces.alignment import CROP_PX, FaceFrame
from core.types import UInt8Array


class Degradation(StrEnum):
    """How a face is degraded."""

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
"""The levels of each kind, from hardly visible to worse than a person would send."""
UNCHANGED: dict[Degradation, float] = {
    **dict.fromkeys(Degradation, 0.0),
    Degradation.GAMMA: 1.0,
    Degradation.JPEG: 100.0,
}
"""Where each curve begins: the level that leaves a face as it is."""


_FRAME = FaceFrame()
_BAR_ROWS = {
    Degradation.EYES: (_FRAME.left_eye[1] + _FRAME.right_eye[1]) / 2,
    Degradation.MOUTH: _FRAME.mouth[1],
}
"""Middle row of each bar."""


def degrade_faces(
    faces: UInt8Array, kind: Degradation, level: float, *, seed: int = 0
) -> UInt8Array:
    """Return degraded (N, 48, 48) uint8 ``faces``; the same ``seed`` gives the same chances.

    The chances of a face do not depend on the level, so that levels differ in it alone.
    """
    return np.stack(
        [
            _degrade(face, kind, level, np.random.default_rng((seed, index)))
            for index, face in enumerate(faces)
        ]
    )


def _degrade(
    face: UInt8Array, kind: Degradation, level: float, generator: np.random.Generator
) -> UInt8Array:
    match kind:
        case Degradation.GAMMA:
            changed = np.rint(255 * (face / 255.0) ** level)
        case Degradation.BLUR:
            changed = cv2.GaussianBlur(face, (0, 0), level)
        case Degradation.NOISE:
            noisy = face + level * generator.standard_normal(face.shape)
            changed = np.rint(np.clip(noisy, 0, 255))
        case Degradation.JPEG:
            encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(level)])[1]
            changed = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
        case Degradation.ROTATION:
            # cv2 counts from the middle of the first pixel.
            middle = ((CROP_PX - 1) / 2, (CROP_PX - 1) / 2)
            degrees = float(generator.choice((-1, 1))) * level
            matrix = cv2.getRotationMatrix2D(middle, degrees, 1.0)
            size, border = (CROP_PX, CROP_PX), cv2.BORDER_REPLICATE
            changed = cv2.warpAffine(face, matrix, size, flags=cv2.INTER_CUBIC, borderMode=border)
        case Degradation.EYES | Degradation.MOUTH:
            # The face's mean grey value: neither as dark as glasses nor as a mask.
            changed = face.copy()
            top = max(0, round(_BAR_ROWS[kind] - level / 2))
            changed[top : round(_BAR_ROWS[kind] + level / 2)] = round(float(face.mean()))
    return np.asarray(changed, dtype=np.uint8)
