"""Shifting landmarks on purpose, to see how much the answer depends on them."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ..types import Landmarks
from .anchors import anchor_points


class LandmarkNoise(StrEnum):
    """How landmarks are shifted."""

    JITTER = "jitter"
    """Each point separately."""
    SHIFT = "shift"
    """All points together, in one direction."""
    SCALE = "scale"
    """All points away from their centre, or towards it."""
    ROTATION = "rotation"
    """All points around their centre."""
    EYES = "eyes"
    """Each eye as a whole, in its own direction; the other points stay."""
    MOUTH = "mouth"
    """The mouth as a whole; the other points stay."""


_EYES_AND_MOUTH: dict[str, tuple[tuple[int, ...], ...]] = {
    "five_points": ((0,), (1,), (3, 4)),
    # The face mesh's outlines of the viewer's left eye, of the right one, and of the lips.
    "face_mesh_468": (
        (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
        (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
        (
            *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269),
            *(270, 409, 78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13),
            *(312, 311, 310, 415),
        ),
    ),
}


_TINY = 1e-9
"""Used as the size of landmarks that all lie in one place: those stay there."""


def shift_landmarks(
    landmarks: Landmarks, noise: LandmarkNoise, error: float, *, seed: int
) -> Landmarks:
    """Shift ``landmarks`` by ``error`` on average, as a share of the distance between the eyes.

    This is the normalised mean error by which landmark models are compared, over the points that
    move; for :attr:`LandmarkNoise.JITTER` it is the expected mean. The same ``seed`` gives the same
    directions for every ``error``. ValueError for a scheme without eyes.
    """
    points = landmarks.points.astype(np.float64)
    left, right, _ = anchor_points(landmarks).astype(np.float64)
    length = error * float(np.linalg.norm(right - left))
    draw = np.random.default_rng(seed)
    if noise is LandmarkNoise.ROTATION:
        moved = _rotate(points, length, draw)
    else:
        moved = points + length * _directions(points, landmarks.scheme, noise, draw)
    return Landmarks(moved.astype(np.float32), landmarks.scheme, landmarks.depth)


def _directions(
    points: NDArray[np.float64], scheme: str, noise: LandmarkNoise, draw: np.random.Generator
) -> NDArray[np.float64]:
    """Return (N, 2) steps whose mean length is one over the points that move."""
    if noise is LandmarkNoise.JITTER:
        # The mean length of a standard normal vector in the plane is sqrt(pi / 2).
        return np.asarray(draw.standard_normal(points.shape) / math.sqrt(math.pi / 2))
    if noise is LandmarkNoise.SCALE:
        away = points - points.mean(axis=0)
        radius = max(float(np.linalg.norm(away, axis=1).mean()), _TINY)
        return np.asarray(draw.choice((-1, 1)) * away / radius)
    steps = np.zeros_like(points)
    left, right, mouth = _EYES_AND_MOUTH[scheme]
    groups: dict[LandmarkNoise, tuple[tuple[int, ...], ...]] = {
        LandmarkNoise.SHIFT: (tuple(range(len(points))),),
        LandmarkNoise.EYES: (left, right),
        LandmarkNoise.MOUTH: (mouth,),
    }
    for group in groups.get(noise, ()):
        angle = draw.uniform(0, 2 * math.pi)
        steps[list(group)] = math.cos(angle), math.sin(angle)
    return steps


def _rotate(
    points: NDArray[np.float64], length: float, draw: np.random.Generator
) -> NDArray[np.float64]:
    middle = points.mean(axis=0)
    radius = max(float(np.linalg.norm(points - middle, axis=1).mean()), _TINY)
    # A point at distance r moves by the chord 2 r sin(angle / 2); half a turn is the furthest.
    angle = draw.choice((-1, 1)) * 2 * math.asin(min(length / (2 * radius), 1.0))
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.asarray((points - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + middle)
