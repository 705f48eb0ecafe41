"""The two networks of MediaPipe's face mesh, run by OpenVINO.

The files of both networks are those of MediaPipe's wheel. The steps of its graph
``face_landmark_front_cpu`` are implemented here, because the graph takes twice as long and seconds
to import: BlazeFace (Bazarevsky et al. 2019) finds up to two faces in a square image, a square
rotated with the eyes is cropped around each, and the face mesh (Kartynnik et al. 2019) is fitted
to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..faces.boxes import merge_boxes
from ..runtime.openvino_engine import OpenVinoRunner, compile_file
from ..types import Float32Array, UInt8Array
from ..weights import read_published

POINTS = 468
SQUARE_PX = 256
"""Side of the input image."""
_FINDER_PX = 128
_FINDER_STEP = SQUARE_PX // _FINDER_PX
"""MediaPipe samples without a half-pixel shift, so halving means taking every second pixel."""
MESH_PX = 192
"""Side of the mesh network's input."""
_CONFIDENT = math.log(0.3 / 0.7)
"""Logit of the lowest probability that counts in BlazeFace; .3 finds 97 % of FER-2013's training
faces (measured on 500, enlarged five times)."""
_PRESENT = 0.0
"""Logit from which the mesh network reports a face: a probability of one half, as in MediaPipe."""
_SAME_FACE = 0.3
"""Intersection over union above which BlazeFace's boxes are averaged."""
_MOST_FACES = 2
ROOM = 1.5
"""Side of the mesh's view, in sides of BlazeFace's box."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """What the mesh network answers for one view."""

    points: Float32Array
    """(468, 3) float32 x, y and depth in pixels of the square."""
    presence: float
    """Logit of the probability that the view shows an upright face."""

    @property
    def present(self) -> bool:
        return self.presence > _PRESENT


class MeshNetworks:
    """Both networks; threads may share them."""

    def __init__(self) -> None:
        self._finder = compile_file(find_published_file("face_finder"), mean=127.5, scale=127.5)
        self._mesh = load_mesh_runner()
        self._anchor_grid = _make_anchor_grid()

    def find_meshes(self, square: UInt8Array) -> list[Mesh]:
        """Return the meshes in (256, 256, 3) RGB, at most two."""
        found = [self.find_mesh_in(square, view) for view in self.find_views(square)]
        return [mesh for mesh in found if mesh.present]

    def find_mesh_in(self, square: UInt8Array, view: NDArray[np.float64]) -> Mesh:
        """Return the mesh of the face in ``view``; it is meaningless if no face is present.

        ``view`` is the (2, 3) similarity from the network's 192 x 192 px to the square.
        """
        cut = cv2.warpAffine(
            square,
            view,
            (MESH_PX, MESH_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        points, presence = self._mesh.outputs(np.asarray(cut, np.uint8)[None])
        placed = points.reshape(POINTS, 3)
        mesh = np.empty((POINTS, 3), np.float32)
        mesh[:, :2] = placed[:, :2] @ view[:, :2].T + view[:, 2]
        mesh[:, 2] = placed[:, 2] * math.hypot(*view[:, 0])
        return Mesh(mesh, presence.item())

    def find_views(self, square: UInt8Array) -> list[NDArray[np.float64]]:
        """Return views of the faces in (256, 256, 3) RGB for :meth:`find_mesh_in`, best first."""
        halved = square[::_FINDER_STEP, ::_FINDER_STEP]
        answers, logits = self._finder.outputs(halved[None])
        cells = np.flatnonzero(logits[0, :, 0] >= _CONFIDENT)
        scores = 1 / (1 + np.exp(-logits[0, cells, 0].astype(np.float64)))
        order = np.argsort(-scores, kind="stable")
        found = self._decode_boxes_and_eyes(answers[0], cells[order])
        return [
            _rotate_view(each)
            for each in merge_boxes(found, scores[order], max_iou=_SAME_FACE, most=_MOST_FACES)
        ]

    def _decode_boxes_and_eyes(
        self, answers: Float32Array, cells: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return (N, 8): two corners and both eyes, in pixels of the square."""
        # Centre and size of the box, then six points, the eyes first.
        pairs = answers[cells].reshape(-1, 8, 2).astype(np.float64) / _FINDER_PX
        origin = self._anchor_grid[cells]
        middle, half = pairs[:, 0] + origin, pairs[:, 1] / 2
        eyes = (pairs[:, 2:4] + origin[:, None]).reshape(-1, 4)
        shares = np.concatenate([middle - half, middle + half, eyes], axis=1)
        return np.asarray(shares * SQUARE_PX, dtype=np.float64)


def find_published_file(name: str) -> Path:
    """Return the verified file of a network of another project; WeightsError if it is not there."""
    published = read_published(name)
    published.read_verified()
    return published.file


def find_mesh_file() -> Path:
    """Return the file of the mesh network; WeightsError if it is absent or changed."""
    return find_published_file("face_mesh")


def load_mesh_runner() -> OpenVinoRunner:
    """Load the mesh network: (1, 192, 192, 3) uint8 RGB to points and presence."""
    return compile_file(find_mesh_file(), mean=0, scale=255)


def _rotate_view(box_and_eyes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return MediaPipe's view for the mesh: a square around the box, rotated with the eyes."""
    x1, y1, x2, y2, left_x, left_y, right_x, right_y = (float(each) for each in box_and_eyes)
    side = max(x2 - x1, y2 - y1) * ROOM
    angle = math.atan2(right_y - left_y, right_x - left_x)
    across = np.array([math.cos(angle), math.sin(angle)]) * side
    down = np.array([-across[1], across[0]])
    corner = np.array([x1 + x2, y1 + y2]) / 2 - (across + down) / 2
    return np.stack([across / MESH_PX, down / MESH_PX, corner], axis=1)


def _make_anchor_grid() -> Float32Array:
    """Return BlazeFace's (896, 2) anchors, as shares of the image's side."""
    middles = []
    for cells_a_side, answers_a_cell in ((16, 2), (8, 6)):
        rows, columns = np.indices((cells_a_side, cells_a_side))
        grid = (np.stack([columns, rows], axis=2).reshape(-1, 2) + 0.5) / cells_a_side
        middles.append(np.repeat(grid, answers_a_cell, axis=0))
    return np.concatenate(middles, dtype=np.float32)
