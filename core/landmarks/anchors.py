"""The three points that alignment needs, for every landmark scheme."""

from __future__ import annotations

import numpy as np

from ..types import Float32Array, Landmarks

_ANCHORS: dict[str, tuple[tuple[int, ...], ...]] = {
    # MTCNN's order: left eye, right eye, nose, left and right mouth corner (viewer's sides).
    "five_points": ((0,), (1,), (3, 4)),
    # Of MediaPipe's canonical mesh the corners and lid centres of each eye, and the mouth corners.
    # The mesh calls the subject's right eye "right"; it is the viewer's left.
    "face_mesh_468": ((33, 133, 159, 145), (263, 362, 386, 374), (61, 291)),
}
"""Indices of the points whose means are the left eye, the right eye and the mouth."""


def anchor_points(landmarks: Landmarks) -> Float32Array:
    """Return (3, 2) float32: centres of the viewer's left eye, right eye and of the mouth.

    ValueError for an unknown scheme.
    """
    if landmarks.scheme not in _ANCHORS:
        raise ValueError(f"expected landmarks {' or '.join(_ANCHORS)}, got {landmarks.scheme}")
    groups = _ANCHORS[landmarks.scheme]
    return np.stack([landmarks.points[list(group)].mean(axis=0) for group in groups])
