"""MediaPipe FaceMesh (Kartynnik et al. 2019) behind our landmark protocol."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import LifoQueue
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Box, Face, Landmarks, RgbImage
from .lazy import put_off
from .quiet import quiet_stderr

_PADDED = 1.7
"""Side of the cut square in box sides: the mesh's own face finder wants some room around."""
_CUT_PX = 256
"""Side the square is brought to; the mesh's network sees 192 px."""
_MOST_GRAPHS = 4
"""Each takes some 30 MB."""
_CONFIDENCE = 0.3
"""Finds 97 % of FER-2013's training faces (measured on 500, enlarged five times)."""


class FaceMeshLandmarks:
    """468 points per face, the faces of a photo at the same time on several graphs of MediaPipe's.

    A graph is not thread-safe, so each is lent to one thread at a time. One is made when it is
    needed first; a photo with one face needs one.
    """

    def __init__(self, graphs: int | None = None) -> None:
        graphs = _usual_graphs() if graphs is None else graphs
        self._idle: LifoQueue[_Graph] = LifoQueue()
        for _ in range(graphs):
            self._idle.put(_Graph())
        self._threads = ThreadPoolExecutor(graphs, "face-mesh") if graphs > 1 else None

    def locate(self, image: RgbImage, faces: Sequence[Face]) -> tuple[Landmarks | None, ...]:
        """One 468-point mesh per face in image pixels, None where the mesh found no face."""
        one = partial(self._one, image)
        boxes = [face.box for face in faces]
        if self._threads is None or len(boxes) < 2:
            return tuple(map(one, boxes))
        return tuple(self._threads.map(one, boxes))

    def _one(self, image: RgbImage, box: Box) -> Landmarks | None:
        square, offset, scale = _cut_square(image, box)
        graph = self._idle.get()
        try:
            found = graph.found(square)
        finally:
            self._idle.put(graph)
        if not found:
            return None
        centre = np.array([(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2], dtype=np.float32)
        candidates = [_landmarks(each, offset, scale) for each in found]
        # A neighbour may stand in the square too: the mesh nearest the box's middle is meant.
        nearest = min(candidates, key=lambda each: _distance(each, centre))
        return nearest if _distance(nearest, centre) <= max(box.width, box.height) / 2 else None


class _Graph:
    """MediaPipe's face mesh; not for several threads."""

    def __init__(self) -> None:
        self._mesh: Any = None
        self._talked = False

    def found(self, square: NDArray[np.uint8]) -> Any:
        """MediaPipe's own answer: the meshes in (256, 256, 3) pixels, or None."""
        # MediaPipe writes its last start-up line when it follows a face for the first time.
        with contextlib.nullcontext() if self._talked else quiet_stderr():
            if self._mesh is None:
                self._mesh = _make_mesh()
            found = self._mesh.process(square).multi_face_landmarks
        self._talked = self._talked or bool(found)
        return found


def _usual_graphs() -> int:
    """One for each core, as OpenMP is told to take them, and no more than faces usually need."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    cores = int(threads) if threads.isdigit() else os.cpu_count() or 1
    return max(1, min(cores, _MOST_GRAPHS))


def _cut_square(image: RgbImage, box: Box) -> tuple[NDArray[np.uint8], NDArray[np.float32], float]:
    """A (256, 256, 3) picture around ``box``, its corner in the image, its scale to the image."""
    side = max(box.width, box.height, 1.0) * _PADDED
    corner = np.array([(box.x1 + box.x2 - side) / 2, (box.y1 + box.y2 - side) / 2])
    low = np.floor(corner).astype(int)
    length = max(int(np.ceil(side)), 2)
    x1, y1 = np.maximum(low, 0)
    x2 = min(low[0] + length, image.width)
    y2 = min(low[1] + length, image.height)
    if x2 <= x1 or y2 <= y1:
        return np.zeros((_CUT_PX, _CUT_PX, 3), np.uint8), low.astype(np.float32), 1.0
    inside = image.pixels[y1:y2, x1:x2]
    scale = length / _CUT_PX
    # Reduced before it is padded, so that a face filling a large photo costs no large copy.
    size_wh = (max(1, round((x2 - x1) / scale)), max(1, round((y2 - y1) / scale)))
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    reduced = cv2.resize(inside, size_wh, interpolation=method)
    left, top = round((x1 - low[0]) / scale), round((y1 - low[1]) / scale)
    right = max(0, _CUT_PX - left - size_wh[0])
    bottom = max(0, _CUT_PX - top - size_wh[1])
    padded = cv2.copyMakeBorder(reduced, top, bottom, left, right, cv2.BORDER_REPLICATE)
    square = np.ascontiguousarray(padded[:_CUT_PX, :_CUT_PX], dtype=np.uint8)
    return square, low.astype(np.float32), scale


def _landmarks(found: Any, offset: NDArray[np.float32], scale: float) -> Landmarks:
    """MediaPipe's normalised landmarks in image pixels."""
    normalised = np.array([(p.x, p.y, p.z) for p in found.landmark[:468]], dtype=np.float32)
    lengths = normalised * np.float32(_CUT_PX * scale)
    return Landmarks(lengths[:, :2] + offset, "face_mesh_468", lengths[:, 2])


def _distance(landmarks: Landmarks, point: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(landmarks.points.mean(axis=0) - point))


def _make_mesh() -> Any:
    # Nearly half of MediaPipe's import is pyplot, for plots that nobody here asks for.
    put_off("matplotlib.pyplot")
    from mediapipe.python.solutions.face_mesh import FaceMesh

    return FaceMesh(
        static_image_mode=True,
        max_num_faces=2,
        refine_landmarks=False,
        min_detection_confidence=_CONFIDENCE,
    )
