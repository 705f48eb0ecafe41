"""The position of eyes and mouth in FER-2013's pictures."""

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
"""Border added on each side: the face mesh needs room around a face."""
ENLARGEMENT = 5
"""Factor; the mesh's network sees 192 px."""
_ANCHORS = tuple(field.name for field in dataclasses.fields(FaceFrame))
_PERCENTILES = (5, 25, 50, 75, 95)
"""Percentiles in the report."""


def find_anchors(images: UInt8Array, mesh: LandmarkModel) -> Iterator[Float32Array | None]:
    """Yield the (3, 2) left eye, right eye and mouth of each face, as find_landmarks does."""
    for landmarks in find_landmarks(images, mesh):
        yield None if landmarks is None else anchor_points(landmarks)


def find_landmarks(images: UInt8Array, mesh: LandmarkModel) -> Iterator[Landmarks | None]:
    """Yield the landmarks of each of (N, 48, 48) uint8 faces, None where ``mesh`` finds none.

    Positions are in pixels of ``images``: from 0 to 48, so that the middle is (24, 24).
    """
    for face in images:
        near, far = PADDING_PX * ENLARGEMENT, (PADDING_PX + CROP_PX) * ENLARGEMENT
        (landmarks,) = mesh.locate(_enlarge(face), [Face(Box(near, near, far, far), 1.0)])
        yield None if landmarks is None else _to_face_pixels(landmarks)


def detect_central_faces(images: UInt8Array, detector: Detector) -> Iterator[Face | None]:
    """Yield the detected face nearest the middle of each of (N, 48, 48) uint8 ``images``.

    None where ``detector`` finds none. Positions are those of :func:`find_landmarks`.
    """
    for pixels in images:
        image = _enlarge(pixels)
        detections = detector.detect(image)
        if not detections:
            yield None
            continue
        nearest = min(detections, key=lambda face: _measure_offset(face.box, image.width))
        edges = dataclasses.astuple(nearest.box)
        box = Box(*(edge / ENLARGEMENT - PADDING_PX for edge in edges))
        landmarks = None if nearest.landmarks is None else _to_face_pixels(nearest.landmarks)
        yield Face(box, nearest.score, landmarks)


def _enlarge(face: UInt8Array) -> RgbImage:
    """Return a face with a border, as large as detectors and meshes need it."""
    padded = cv2.copyMakeBorder(face, *(PADDING_PX,) * 4, cv2.BORDER_REPLICATE)
    large = cv2.resize(padded, None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=cv2.INTER_CUBIC)
    return RgbImage(np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB), dtype=np.uint8), "face")


def _to_face_pixels(landmarks: Landmarks) -> Landmarks:
    """Return landmarks of an enlarged face in pixels of the face itself."""
    points = landmarks.points / ENLARGEMENT - PADDING_PX
    depth = None if landmarks.depth is None else landmarks.depth / ENLARGEMENT
    return dataclasses.replace(landmarks, points=points, depth=depth)


def _measure_offset(box: Box, side: int) -> float:
    return abs(box.x1 + box.x2 - side) + abs(box.y1 + box.y2 - side)


def summarize_anchors(anchors: Float32Array) -> dict[str, Any]:
    """Return median and spread of (M, 3, 2) ``anchors``, M > 0, and the frame in use."""
    report: dict[str, Any] = {}
    for index, name in enumerate(_ANCHORS):
        low, median, high = np.percentile(anchors[:, index], (25, 50, 75), axis=0)
        in_use = np.array(getattr(FaceFrame(), name))
        report[name] = {
            "median": _round(median),
            "quartiles": [_round(low), _round(high)],
            "in_use": _round(in_use),
            "difference": _round(median - in_use),
        }
    across = anchors[:, 1] - anchors[:, 0]
    roll = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
    report["eye_distance"] = _compute_percentiles(np.linalg.norm(across, axis=1))
    report["roll_degrees"] = _compute_percentiles(roll)
    return report


def _compute_percentiles(values: Float32Array) -> dict[str, float]:
    results = np.percentile(values, _PERCENTILES)
    pairs = zip(_PERCENTILES, results, strict=True)
    return {f"p{percent}": round(float(value), 2) for percent, value in pairs}


def _round(values: Any) -> list[float]:
    return [round(float(value), 2) for value in values]
