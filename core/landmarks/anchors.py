"""The three points that alignment needs, for every landmark scheme."""

from __future__ import annotations

import numpy as np

from ..types import Float32Array, Landmarks

# Indices of MediaPipe's canonical face mesh: corners and lid centres of each eye, mouth corners.
# The mesh calls the subject's right eye "right"; it is the viewer's left.
_MESH_LEFT_EYE = (33, 133, 159, 145)
_MESH_RIGHT_EYE = (263, 362, 386, 374)
_MESH_MOUTH = (61, 291)


def anchor_points(landmarks: Landmarks) -> Float32Array:
    """Return (3, 2) float32: centres of the viewer's left eye, right eye and of the mouth.

    ValueError for an unknown scheme.
    """
    points = landmarks.points
    if landmarks.scheme == "face_mesh_468":
        groups = (_MESH_LEFT_EYE, _MESH_RIGHT_EYE, _MESH_MOUTH)
        anchors = np.stack([points[list(group)].mean(axis=0) for group in groups])
        return np.asarray(anchors, dtype=np.float32)
    if landmarks.scheme == "five_points":
        # MTCNN's order: left eye, right eye, nose, left and right mouth corner (viewer's sides).
        anchors = np.stack([points[0], points[1], points[3:5].mean(axis=0)])
        return np.asarray(anchors, dtype=np.float32)
    raise ValueError(f"expected landmarks face_mesh_468 or five_points, got {landmarks.scheme}")
