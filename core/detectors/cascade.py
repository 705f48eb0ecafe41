"""The three stages of MTCNN (Zhang et al. 2016) over whole arrays, without torch.

Every step gives the same numbers as facenet-pytorch. That library crops and resizes each candidate
by itself; here all candidates of a stage are cropped from one integral image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..faces.boxes import nms, nms_min_area
from ..runtime import NetworkRunner
from ..types import Box, Face, Float32Array, Landmarks, RgbImage, UInt8Array
from .area_windows import Sums, crop_windows, integral_image, resize_image

CELL = 12
"""Side of a face in the first network, and of the smallest image it accepts, in pixels."""
STRIDE = 2
PYRAMID_FACTOR = 0.709
STAGE_THRESHOLDS = (0.6, 0.7, 0.7)
_SAME_LEVEL, SAME_FACE = 0.5, 0.7
"""Overlap above which the lower scored of two boxes is dropped, within and across levels."""
_MOST = 4096
"""Most candidates for the second network, the best: photos of 1024 px have 15 to 600, and noise
must not take unbounded memory."""
_BATCHES = ((256, 256), (64, 64), (16, 9), (8, 5), (4, 1))
"""Batch sizes, each with the number of remaining candidates from which it is used. A network is
compiled for each size, and a batch that is not full costs less than two smaller ones."""

Boxes = NDArray[np.float32]
"""(N, 4): x1, y1, x2, y2."""


@dataclass(frozen=True, slots=True)
class Networks:
    """The network of each stage; the first number of its output is the probability of a face."""

    proposal: NetworkRunner
    """(1, 3, H, W) to (1, 5, h, w): one output per cell."""
    refinement: NetworkRunner
    """(N, 3, 24, 24) to (N, 5)."""
    output: NetworkRunner
    """(N, 3, 48, 48) to (N, 15): after the box offsets the x, then the y of five points."""


@dataclass(frozen=True, slots=True)
class CascadeSettings:
    """Settings that decide how many candidates there are, and which of them are faces."""

    min_face_px: int
    factor: float = PYRAMID_FACTOR
    """Scale of a pyramid level relative to the one before."""
    thresholds: tuple[float, float, float] = STAGE_THRESHOLDS
    """Lowest probability that each stage accepts."""


@dataclass(frozen=True, slots=True, eq=False)
class CascadeResult:
    """The faces of one picture, best first."""

    boxes: Boxes
    scores: Float32Array
    points: Float32Array
    """(N, 5, 2): eyes, nose, corners of the mouth; x before y."""

    def to_faces(self, image: RgbImage, pixels: UInt8Array, threshold: float) -> tuple[Face, ...]:
        """Return those scored at or above ``threshold``, in coordinates of ``image``.

        ``pixels`` are what was searched: the image, possibly at a smaller size.
        """
        scale = np.array([image.width / pixels.shape[1], image.height / pixels.shape[0]])
        faces = []
        for box, score, points in zip(self.boxes, self.scores, self.points, strict=True):
            if score >= threshold:
                edges = (float(edge) for edge in box.astype(np.float64) * np.tile(scale, 2))
                landmarks = Landmarks((points * scale).astype(np.float32), "five_points")
                faces.append(Face(Box(*edges), float(min(score, 1.0)), landmarks))
        return tuple(faces)


def find_faces(pixels: UInt8Array, networks: Networks, settings: CascadeSettings) -> CascadeResult:
    """Return the faces of (H, W, 3) pixels in their coordinates; none in an image too small."""
    sums = integral_image(pixels)
    boxes = _propose(sums, networks.proposal, settings)
    boxes = _refine(sums, boxes, networks.refinement, settings.thresholds[1])
    return _finalize(sums, boxes, networks.output, settings.thresholds[2])


def _list_scales(size_hw: tuple[int, int], settings: CascadeSettings) -> list[float]:
    """Return the scales of the image pyramid, finest first."""
    scale = CELL / settings.min_face_px
    shorter = min(size_hw) * scale
    scales = []
    while shorter >= CELL:
        scales.append(scale)
        scale *= settings.factor
        shorter *= settings.factor
    return scales


def _propose(sums: Sums, network: NetworkRunner, settings: CascadeSettings) -> Boxes:
    """Return squares around everything that may be a face."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    found = [np.zeros((0, 9), np.float32)]
    for scale in _list_scales((height, width), settings):
        level = _normalise(resize_image(sums, (int(height * scale + 1), int(width * scale + 1))))
        found.append(_find_candidates(network.run(level[None])[0], scale, settings.thresholds[0]))
    rows = np.concatenate(found)
    rows = rows[nms(rows[:, :4], rows[:, 4], SAME_FACE)[:_MOST]]
    boxes, move = rows[:, :4], rows[:, 5:]
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return square_boxes(boxes + move * sides)


def _find_candidates(answers: Float32Array, scale: float, threshold: float) -> Float32Array:
    """Return (N, 9): box, score and offsets of the cells of one level that may show a face."""
    rows, columns = np.nonzero(answers[0] >= threshold)
    corner = STRIDE * np.stack([columns, rows], axis=1)
    scores, move = answers[0, rows, columns], answers[1:, rows, columns].T
    # In float32 like the library: the last bit decides which pixel a corner falls on.
    near, far = (
        np.floor((corner + reach).astype(np.float32) / np.float32(scale)) for reach in (1, CELL)
    )
    found = np.concatenate([near, far, scores[:, None], move], axis=1, dtype=np.float32)
    return found[nms(found[:, :4], found[:, 4], _SAME_LEVEL)]


def _refine(sums: Sums, boxes: Boxes, network: NetworkRunner, threshold: float) -> Boxes:
    """Return squares around those of ``boxes`` that the second network takes for a face."""
    if not len(boxes):
        return boxes
    answers = run_batched(network, sums, boxes, 24)
    passed = answers[:, 0] > threshold
    boxes, answers = boxes[passed], answers[passed]
    kept = nms(boxes, answers[:, 0], SAME_FACE)
    return square_boxes(apply_offsets(boxes[kept], answers[kept, 1:]))


def _finalize(sums: Sums, boxes: Boxes, network: NetworkRunner, threshold: float) -> CascadeResult:
    """Return the faces among ``boxes``, each once."""
    if not len(boxes):
        return CascadeResult(boxes, np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
    answers = run_batched(network, sums, boxes, 48)
    passed = answers[:, 0] > threshold
    return decode_faces(boxes[passed], answers[passed], answers[passed, 0])


def decode_faces(boxes: Boxes, answers: Float32Array, scores: Float32Array) -> CascadeResult:
    """Return the faces that the last network found in ``boxes``, each once, best first."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    # From five x and five y to five times x and y.
    shares = answers[:, 5:].reshape(-1, 2, 5).swapaxes(1, 2)
    points = np.asarray(shares * sides[:, None] + boxes[:, None, :2] - 1, dtype=np.float32)
    boxes = apply_offsets(boxes, answers[:, 1:5])
    kept = nms_min_area(boxes, scores, SAME_FACE)
    return CascadeResult(boxes[kept], scores[kept], points[kept])


def run_batched(network: NetworkRunner, sums: Sums, boxes: Boxes, side: int) -> Float32Array:
    """Return one row of outputs for each of ``boxes``, of which there is at least one."""
    windows = _crop_windows(boxes, sums.shape[1] - 1, sums.shape[0] - 1)
    rows = []
    start = 0
    while start < len(windows):
        rest = len(windows) - start
        size = next(size for size, least in _BATCHES if rest >= least)
        cells = _normalise(crop_windows(sums, windows[start : start + size], side))
        missing = size - len(cells)
        batch = np.pad(cells, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else cells
        rows.append(network.run(batch)[: len(cells)])
        start += size
    return np.concatenate(rows)


def crop_boxes(sums: Sums, boxes: Boxes, side: int) -> Float32Array:
    """Return (N, 3, side, side) values in 0..255: what a network sees of ``boxes``."""
    return crop_windows(sums, _crop_windows(boxes, sums.shape[1] - 1, sums.shape[0] - 1), side)


def _normalise(cells: Float32Array) -> Float32Array:
    """Scale ``cells`` in place to -1..1, as the networks were trained."""
    cells -= 127.5
    cells *= 1 / 128
    return cells


def _crop_windows(boxes: Boxes, width: int, height: int) -> NDArray[np.int64]:
    """Return the windows (y1, y2, x1, x2), half-open, that a network sees of each box.

    A box that its offsets moved off the image keeps one pixel of the border, which no network
    accepts as a face. facenet-pytorch raises an IndexError there.
    """
    x1, y1, x2, y2 = np.trunc(boxes).astype(np.int64).T
    x1, y1 = x1.clip(1, width), y1.clip(1, height)
    x2, y2 = np.maximum(x2.clip(max=width), x1), np.maximum(y2.clip(max=height), y1)
    return np.stack([y1 - 1, y2, x1 - 1, x2], axis=1)


def apply_offsets(boxes: Boxes, move: Float32Array) -> Boxes:
    """Move each edge of ``boxes`` by ``move``, a share of the side."""
    sides = np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)
    return boxes + move * sides


def square_boxes(boxes: Boxes) -> Boxes:
    """Return squares with the centres and the longer sides of ``boxes``."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longest = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + sides * 0.5 - longest * 0.5
    return np.concatenate([corner, corner + longest], axis=1, dtype=np.float32)
