"""The three stages of MTCNN (Zhang et al. 2016) over whole arrays, without torch.

Every step gives what facenet-pytorch gives; what differs is how often the work is done. There
each candidate is cut and resized by itself, here all of a stage come out of one table of sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..faces.boxes import nms, nms_min_area
from ..runtime import NetworkRunner
from ..types import Float32Array, UInt8Array
from .area_windows import Sums, reduced, squares, sums_of

CELL = 12
"""Pixels that the first network sees of a face, and the smallest picture it takes."""
STRIDE = 2
PYRAMID_FACTOR = 0.709
STAGE_THRESHOLDS = (0.6, 0.7, 0.7)
_SAME_LEVEL, SAME_FACE = 0.5, 0.7
"""Overlap from which the lower scored of two boxes is dropped, within a level and beyond."""
_MOST = 4096
"""Candidates that go on to the second network, the best first: photos of 1024 px leave 15 to 600,
and noise must not take memory without bound."""
_BATCHES = ((256, 256), (64, 64), (16, 9), (8, 5), (4, 1))
"""Sizes in which candidates meet a network, as it is compiled for each size it sees, and how many
must be left for each: a small batch that is not full costs less than two smaller ones."""

Boxes = NDArray[np.float32]
"""(N, 4): x1, y1, x2, y2."""


@dataclass(frozen=True, slots=True)
class Networks:
    """What each stage asks; the first number of an answer is the probability of a face."""

    proposal: NetworkRunner
    """(1, 3, H, W) to (1, 5, h, w): one answer per cell."""
    refinement: NetworkRunner
    """(N, 3, 24, 24) to (N, 5)."""
    output: NetworkRunner
    """(N, 3, 48, 48) to (N, 15): behind the box's move the x and the y of five points."""


@dataclass(frozen=True, slots=True)
class CascadeSettings:
    """What decides how many candidates there are, and which of them are faces."""

    min_face_px: int
    factor: float = PYRAMID_FACTOR
    """Ratio of the sides of a level of the pyramid and the one before."""
    thresholds: tuple[float, float, float] = STAGE_THRESHOLDS
    """Lowest probability that each stage lets through."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The faces of one picture, best first."""

    boxes: Boxes
    scores: Float32Array
    points: Float32Array
    """(N, 5, 2): eyes, nose, corners of the mouth; x before y."""


def find_faces(pixels: UInt8Array, networks: Networks, settings: CascadeSettings) -> Found:
    """The faces of (H, W, 3) pixels, in their coordinates; none where it is too small for any."""
    sums = sums_of(pixels)
    boxes = _proposed(sums, networks.proposal, settings)
    boxes = _refined(sums, boxes, networks.refinement, settings.thresholds[1])
    return _settled(sums, boxes, networks.output, settings.thresholds[2])


def _levels(size_hw: tuple[int, int], settings: CascadeSettings) -> list[float]:
    """The scales at which the picture is looked at, finest first."""
    scale = CELL / settings.min_face_px
    shorter = min(size_hw) * scale
    scales = []
    while shorter >= CELL:
        scales.append(scale)
        scale *= settings.factor
        shorter *= settings.factor
    return scales


def _proposed(sums: Sums, network: NetworkRunner, settings: CascadeSettings) -> Boxes:
    """Squares around everything that may be a face."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    found = [np.zeros((0, 9), np.float32)]
    for scale in _levels((height, width), settings):
        level = _scaled(reduced(sums, (int(height * scale + 1), int(width * scale + 1))))
        found.append(_candidates(network.run(level[None])[0], scale, settings.thresholds[0]))
    rows = np.concatenate(found)
    rows = rows[nms(rows[:, :4], rows[:, 4], SAME_FACE)[:_MOST]]
    boxes, move = rows[:, :4], rows[:, 5:]
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return squared(boxes + move * sides)


def _candidates(answers: Float32Array, scale: float, threshold: float) -> Float32Array:
    """(N, 9): box, score and move of the cells of one level that may show a face."""
    rows, columns = np.nonzero(answers[0] >= threshold)
    corner = STRIDE * np.stack([columns, rows], axis=1)
    scores, move = answers[0, rows, columns], answers[1:, rows, columns].T
    # In float32, as the library does: the last bit decides which pixel a corner falls on.
    near, far = (
        np.floor((corner + reach).astype(np.float32) / np.float32(scale)) for reach in (1, CELL)
    )
    found = np.concatenate([near, far, scores[:, None], move], axis=1, dtype=np.float32)
    return found[nms(found[:, :4], found[:, 4], _SAME_LEVEL)]


def _refined(sums: Sums, boxes: Boxes, network: NetworkRunner, threshold: float) -> Boxes:
    """Squares around those of ``boxes`` that may still be a face, moved onto it."""
    if not len(boxes):
        return boxes
    answers = asked(network, sums, boxes, 24)
    passed = answers[:, 0] > threshold
    boxes, answers = boxes[passed], answers[passed]
    kept = nms(boxes, answers[:, 0], SAME_FACE)
    return squared(moved(boxes[kept], answers[kept, 1:]))


def _settled(sums: Sums, boxes: Boxes, network: NetworkRunner, threshold: float) -> Found:
    """The faces among ``boxes``, each once."""
    if not len(boxes):
        return Found(boxes, np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
    answers = asked(network, sums, boxes, 48)
    passed = answers[:, 0] > threshold
    boxes, answers = boxes[passed], answers[passed]
    points = points_of(boxes, answers)
    boxes = moved(boxes, answers[:, 1:5])
    kept = nms_min_area(boxes, answers[:, 0], SAME_FACE)
    return Found(boxes[kept], answers[kept, 0], points[kept])


def points_of(boxes: Boxes, answers: Float32Array) -> Float32Array:
    """(N, 5, 2) points that the last network sees in the squares it was shown."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    # From five x and five y to five times x and y.
    shares = answers[:, 5:].reshape(-1, 2, 5).swapaxes(1, 2)
    return np.asarray(shares * sides[:, None] + boxes[:, None, :2] - 1, dtype=np.float32)


def asked(network: NetworkRunner, sums: Sums, boxes: Boxes, side: int) -> Float32Array:
    """One row of answers for each of the boxes, which are at least one."""
    windows = _windows(boxes, sums.shape[1] - 1, sums.shape[0] - 1)
    rows = []
    start = 0
    while start < len(windows):
        rest = len(windows) - start
        size = next(size for size, least in _BATCHES if rest >= least)
        cells = _scaled(squares(sums, windows[start : start + size], side))
        missing = size - len(cells)
        batch = np.pad(cells, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else cells
        rows.append(network.run(batch)[: len(cells)])
        start += size
    return np.concatenate(rows)


def _scaled(cells: Float32Array) -> Float32Array:
    """Values as the networks were trained for, -1..1; ``cells`` is overwritten."""
    cells -= 127.5
    cells *= 1 / 128
    return cells


def _windows(boxes: Boxes, width: int, height: int) -> NDArray[np.int64]:
    """Rows and columns (y1, y2, x1, x2), half-open, that a network sees of each box.

    A box that a move took off the picture keeps the border's pixel, which no network takes for
    a face. facenet-pytorch leaves it without any, skips it in one list and keeps it in another,
    and ends with an IndexError.
    """
    x1, y1, x2, y2 = np.trunc(boxes).astype(np.int64).T
    x1, y1 = x1.clip(1, width), y1.clip(1, height)
    x2, y2 = np.maximum(x2.clip(max=width), x1), np.maximum(y2.clip(max=height), y1)
    return np.stack([y1 - 1, y2, x1 - 1, x2], axis=1)


def moved(boxes: Boxes, move: Float32Array) -> Boxes:
    """``boxes`` with each edge moved by its share of the side."""
    sides = np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)
    return boxes + move * sides


def squared(boxes: Boxes) -> Boxes:
    """Squares with the boxes' middles and their longer sides."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longest = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + sides * 0.5 - longest * 0.5
    return np.concatenate([corner, corner + longest], axis=1, dtype=np.float32)
