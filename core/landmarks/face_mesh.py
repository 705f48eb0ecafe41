"""MediaPipe's face mesh (Kartynnik et al. 2019) behind our landmark protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..faces.alignment import CROP_PX, FaceFrame, matrix_from_anchors
from ..faces.reduce import shrunk
from ..types import Box, Face, Float32Array, Landmarks, RgbImage, UInt8Array
from .anchors import anchor_points
from .mesh_networks import MESH_PX, SQUARE_PX, MeshNetworks

_PADDED = 1.7
"""Side of the cut square in box sides: the mesh's own face finder wants some room around."""
_VIEW = FaceFrame(left_eye=(17.5, 16.8), right_eye=(30.9, 16.8), mouth=(24.1, 30.6))
"""Where the detector's eyes and mouth lie in what the mesh's own face finder would show it, in
48ths of its side: medians of 1,838 faces of the detector's training photos
(`emotion study mirrored` gives them)."""


class MeshFinder(Protocol):
    """Lays meshes over faces in a square picture; safe from several threads."""

    def meshes(self, square: UInt8Array) -> list[Float32Array]:
        """(256, 256, 3) RGB to some (468, 3): x, y and depth in its pixels."""
        ...

    def mesh_in(self, square: UInt8Array, view: NDArray[np.float64]) -> Float32Array | None:
        """As :meth:`meshes`, of the face in ``view`` ((2, 3), from 192 x 192 px), if it is one."""
        ...


class FaceMeshLandmarks:
    """468 points per face. Holds no state between calls, so threads may share it.

    Where the detector gave points, the mesh is shown what lies around them; only without them
    MediaPipe's own face finder is asked as well. That costs half of the time, and its meshes move
    more when a photo is mirrored (docs/report.md).
    """

    def __init__(self, finder: MeshFinder | None = None) -> None:
        self._finder = MeshNetworks() if finder is None else finder

    def locate(self, image: RgbImage, faces: Sequence[Face]) -> tuple[Landmarks | None, ...]:
        """One 468-point mesh per face in image pixels, None where the mesh found no face."""
        return tuple(self._one(image, face) for face in faces)

    def _one(self, image: RgbImage, face: Face) -> Landmarks | None:
        box = face.box
        square, offset, scale = cut_square(image, box)
        view = None if face.landmarks is None else _view(face.landmarks, offset, scale)
        if view is None:
            meshes = self._finder.meshes(square)
        else:
            mesh = self._finder.mesh_in(square, view)
            meshes = [] if mesh is None else [mesh]
        candidates = [_landmarks(each, offset, scale) for each in meshes]
        if not candidates:
            return None
        centre = np.array([(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2], dtype=np.float32)
        # A neighbour may stand in the square too: the mesh nearest the box's middle is meant.
        nearest = min(candidates, key=lambda each: _distance(each, centre))
        return nearest if _distance(nearest, centre) <= max(box.width, box.height) / 2 else None


def cut_square(image: RgbImage, box: Box) -> tuple[NDArray[np.uint8], NDArray[np.float32], float]:
    """A (256, 256, 3) picture around ``box``, its corner in the image, its scale to the image."""
    side = max(box.width, box.height, 1.0) * _PADDED
    corner = np.array([(box.x1 + box.x2 - side) / 2, (box.y1 + box.y2 - side) / 2])
    low = np.floor(corner).astype(int)
    length = max(int(np.ceil(side)), 2)
    x1, y1 = np.maximum(low, 0)
    x2 = min(low[0] + length, image.width)
    y2 = min(low[1] + length, image.height)
    if x2 <= x1 or y2 <= y1:
        return np.zeros((SQUARE_PX, SQUARE_PX, 3), np.uint8), low.astype(np.float32), 1.0
    inside = image.pixels[y1:y2, x1:x2]
    scale = length / SQUARE_PX
    # Reduced before it is padded, so that a face filling a large photo costs no large copy.
    size_wh = (max(1, round((x2 - x1) / scale)), max(1, round((y2 - y1) / scale)))
    if scale > 1:
        reduced = shrunk(inside, size_wh)
    else:
        reduced = np.asarray(cv2.resize(inside, size_wh, interpolation=cv2.INTER_CUBIC), np.uint8)
    left, top = round((x1 - low[0]) / scale), round((y1 - low[1]) / scale)
    right = max(0, SQUARE_PX - left - size_wh[0])
    bottom = max(0, SQUARE_PX - top - size_wh[1])
    padded = cv2.copyMakeBorder(reduced, top, bottom, left, right, cv2.BORDER_REPLICATE)
    square = np.ascontiguousarray(padded[:SQUARE_PX, :SQUARE_PX], dtype=np.uint8)
    return square, low.astype(np.float32), scale


def _view(
    landmarks: Landmarks, offset: NDArray[np.float32], scale: float
) -> NDArray[np.float64] | None:
    """The (2, 3) similarity from what the mesh shall see to the square; None for no face's points.

    ``landmarks`` are in image pixels.
    """
    matrix = matrix_from_anchors((anchor_points(landmarks) - offset) / np.float32(scale), _VIEW)
    if matrix is None:
        return None
    view = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
    view[:, :2] *= CROP_PX / MESH_PX
    return view


def _landmarks(mesh: Float32Array, offset: NDArray[np.float32], scale: float) -> Landmarks:
    """A mesh of the square in image pixels."""
    lengths = mesh * np.float32(scale)
    return Landmarks(lengths[:, :2] + offset, "face_mesh_468", lengths[:, 2])


def _distance(landmarks: Landmarks, point: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(landmarks.points.mean(axis=0) - point))
