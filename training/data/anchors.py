"""Measuring where eyes and mouth lie in FER-2013's pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from core.detectors import Detector
from core.faces.alignment import CROP_PX, FaceFrame
from core.landmarks import LandmarkModel
from core.landmarks.anchors import anchor_points
from core.types import Box, Face, Float32Array, Landmarks, RgbImage, UInt8Array

PADDING_PX = 12
"""Repeated border on each side: the mesh's face finder wants room around a face."""
ENLARGED = 5
"""Times; the mesh's network sees 192 px."""
_ANCHORS = tuple(field.name for field in dataclasses.fields(FaceFrame))
_SPREAD = (5, 25, 50, 75, 95)
"""Percentiles that are told."""


def find_anchors(images: UInt8Array, mesh: LandmarkModel) -> Iterator[Float32Array | None]:
    """For each of (N, 48, 48) uint8 ``images`` its (3, 2) left eye, right eye and mouth.

    As :func:`find_landmarks`.
    """
    for landmarks in find_landmarks(images, mesh):
        yield None if landmarks is None else anchor_points(landmarks)


def find_landmarks(images: UInt8Array, mesh: LandmarkModel) -> Iterator[Landmarks | None]:
    """For each of (N, 48, 48) uint8 ``images`` the landmarks of its face.

    None where ``mesh`` finds no face. Positions are in pixels of the images, with the picture
    spanning 0 to 48, so that its middle is (24, 24).
    """
    for face in images:
        near, far = PADDING_PX * ENLARGED, (PADDING_PX + CROP_PX) * ENLARGED
        (landmarks,) = mesh.locate(_enlarged(face), [Face(Box(near, near, far, far), 1.0)])
        yield None if landmarks is None else _reduced(landmarks)


def detect_central_faces(images: UInt8Array, detector: Detector) -> Iterator[Face | None]:
    """For each of (N, 48, 48) uint8 ``images`` its face as ``detector`` finds it.

    None where it finds none. Positions as in :func:`find_landmarks`; of several faces the one
    nearest the middle is meant.
    """
    for face in images:
        image = _enlarged(face)
        found = detector.detect(image)
        if not found:
            yield None
            continue
        nearest = min(found, key=lambda each: _off_centre(each.box, image.width))
        corners = dataclasses.astuple(nearest.box)
        box = Box(*(each / ENLARGED - PADDING_PX for each in corners))
        marks = None if nearest.landmarks is None else _reduced(nearest.landmarks)
        yield Face(box, nearest.score, marks)


def _enlarged(face: UInt8Array) -> RgbImage:
    """A face with room around it, as large as detectors and meshes want it."""
    padded = cv2.copyMakeBorder(face, *(PADDING_PX,) * 4, cv2.BORDER_REPLICATE)
    large = cv2.resize(padded, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    return RgbImage(np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB), dtype=np.uint8), "face")


def _reduced(landmarks: Landmarks) -> Landmarks:
    """What was found in :func:`_enlarged`, in pixels of the face itself."""
    points = landmarks.points / ENLARGED - PADDING_PX
    depth = None if landmarks.depth is None else landmarks.depth / ENLARGED
    return dataclasses.replace(landmarks, points=points, depth=depth)


def _off_centre(box: Box, side: int) -> float:
    return abs(box.x1 + box.x2 - side) + abs(box.y1 + box.y2 - side)


def summarize_anchors(anchors: Float32Array) -> dict[str, Any]:
    """Median and spread of (M, 3, 2) ``anchors``, M at least 1, beside the frame in use."""
    told: dict[str, Any] = {}
    for index, name in enumerate(_ANCHORS):
        low, median, high = np.percentile(anchors[:, index], (25, 50, 75), axis=0)
        used = np.array(getattr(FaceFrame(), name))
        told[name] = {
            "median": _rounded(median),
            "quartiles": [_rounded(low), _rounded(high)],
            "in_use": _rounded(used),
            "difference": _rounded(median - used),
        }
    across = anchors[:, 1] - anchors[:, 0]
    roll = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
    told["eye_distance"] = _percentiles(np.linalg.norm(across, axis=1))
    told["roll_degrees"] = _percentiles(roll)
    return told


def _percentiles(values: Float32Array) -> dict[str, float]:
    found = np.percentile(values, _SPREAD)
    return {f"p{share}": round(float(each), 2) for share, each in zip(_SPREAD, found, strict=True)}


def _rounded(values: Any) -> list[float]:
    return [round(float(each), 2) for each in values]
