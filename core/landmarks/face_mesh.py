"""MediaPipe's face mesh (Kartynnik et al. 2019) as a landmark model."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..faces.alignment import CROP_PX, FaceFrame, matrix_from_anchors
from ..faces.reduce import shrink
from ..types import Box, Face, Float32Array, Landmarks, RgbImage
from .anchors import anchor_points
from .mesh_networks import MESH_PX, ROOM, SQUARE_PX, Mesh, MeshNetworks

_PADDED = 1.7
"""Side of the cropped square in box sides; MediaPipe's face finder needs some margin."""
_VIEW = FaceFrame(left_eye=(17.5, 16.8), right_eye=(30.9, 16.8), mouth=(24.1, 30.6))
"""Where the detector's eyes and mouth lie in the view that MediaPipe's face finder would choose, in
48ths of its side: medians over 1,838 faces of the detector's training photos
(`emotion study mirrored` prints them)."""
_SCALE = SQUARE_PX * ROOM / _PADDED / MESH_PX
_CORNER = SQUARE_PX * (1 - ROOM / _PADDED) / 2
_WHOLE = np.array([[_SCALE, 0.0, _CORNER], [0.0, _SCALE, _CORNER]])
"""The view around a face's box, without regard to its points."""


class FaceMeshLandmarks:
    """Places 468 points per face; threads may share it.

    The detector's points choose the view for the mesh. Only without them MediaPipe's own face
    finder runs first, which takes as long again, and its meshes move more when a photo is mirrored
    (docs/report.md).
    """

    def __init__(self, networks: MeshNetworks | None = None) -> None:
        self._networks = networks or MeshNetworks()

    def locate(self, image: RgbImage, faces: Sequence[Face]) -> tuple[Landmarks | None, ...]:
        """Return one 468-point mesh per face in image pixels, None where it found no face."""
        return tuple(self._locate_one(image, face) for face in faces)

    def _locate_one(self, image: RgbImage, face: Face) -> Landmarks | None:
        box = face.box
        square, offset, scale = crop_square(image, box)
        view = None if face.landmarks is None else _find_view(face.landmarks, offset, scale)
        if view is None:
            meshes = self._networks.find_meshes(square)
        else:
            meshes = [mesh for mesh in [self._networks.find_mesh_in(square, view)] if mesh.present]
        candidates = [_to_image(each, offset, scale) for each in meshes]
        if not candidates:
            return None
        centre = np.array([(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2], dtype=np.float32)
        # A neighbour may be in the square too: take the mesh nearest to the centre of the box.
        nearest = min(candidates, key=lambda each: _distance(each, centre))
        return nearest if _distance(nearest, centre) <= max(box.width, box.height) / 2 else None

    def judge_turns(self, image: RgbImage, face: Face) -> Float32Array:
        """Return (4,) how much ``face`` looks like an upright one after 0 to 3 quarter turns.

        The turns of the picture are clockwise; the values are logits of the mesh network.
        """
        square, _, _ = crop_square(image, face.box)
        logits = [
            self._networks.find_mesh_in(np.ascontiguousarray(np.rot90(square, -turns)), _WHOLE)
            for turns in range(4)
        ]
        return np.array([mesh.presence for mesh in logits], np.float32)


def crop_square(image: RgbImage, box: Box) -> tuple[NDArray[np.uint8], NDArray[np.float32], float]:
    """Return (256, 256, 3) pixels around ``box``, their corner and scale in the image."""
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
    # Shrunk before padding, so that a face filling a large photo needs no large copy.
    size_wh = (max(1, round((x2 - x1) / scale)), max(1, round((y2 - y1) / scale)))
    if scale > 1:
        reduced = shrink(inside, size_wh)
    else:
        reduced = np.asarray(cv2.resize(inside, size_wh, interpolation=cv2.INTER_CUBIC), np.uint8)
    left, top = round((x1 - low[0]) / scale), round((y1 - low[1]) / scale)
    right = max(0, SQUARE_PX - left - size_wh[0])
    bottom = max(0, SQUARE_PX - top - size_wh[1])
    padded = cv2.copyMakeBorder(reduced, top, bottom, left, right, cv2.BORDER_REPLICATE)
    square = np.ascontiguousarray(padded[:SQUARE_PX, :SQUARE_PX], dtype=np.uint8)
    return square, low.astype(np.float32), scale


def _find_view(
    landmarks: Landmarks, offset: NDArray[np.float32], scale: float
) -> NDArray[np.float64] | None:
    """Return the (2, 3) similarity from the mesh's view to the square, or None.

    ``landmarks`` are in image pixels; None if they cannot be those of a face.
    """
    matrix = matrix_from_anchors((anchor_points(landmarks) - offset) / np.float32(scale), _VIEW)
    if matrix is None:
        return None
    view = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
    view[:, :2] *= CROP_PX / MESH_PX
    return view


def _to_image(mesh: Mesh, offset: NDArray[np.float32], scale: float) -> Landmarks:
    """Return a mesh of the square in image pixels."""
    lengths = mesh.points * np.float32(scale)
    return Landmarks(lengths[:, :2] + offset, "face_mesh_468", lengths[:, 2], mesh.presence)


def _distance(landmarks: Landmarks, point: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(landmarks.points.mean(axis=0) - point))
