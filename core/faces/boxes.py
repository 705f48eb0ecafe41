"""Overlap of boxes and non-maximum suppression, all of it.

Boxes are (N, 4): x1, y1, x2, y2. Of several boxes on one face the best scored stays.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Box

Boxes = NDArray[np.floating[Any]]
Scores = NDArray[np.floating[Any]]
Indices = NDArray[np.int64]


def box_iou(a: Box, b: Box) -> float:
    """Return the intersection over union, 0..1; 0 for boxes without area."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a.area + b.area - shared)


def nms(boxes: Boxes, scores: Scores, max_iou: float) -> Indices:
    """Return the indices of the boxes to keep, best first.

    A box goes if its intersection over union with a better one exceeds ``max_iou``.
    """
    if not len(boxes):
        return np.zeros(0, np.int64)
    corner_and_size = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept: Any = cv2.dnn.NMSBoxes(
        cast("Any", corner_and_size.astype(np.float64)), cast("Any", scores), 0.0, max_iou
    )
    return np.asarray(kept, dtype=np.int64).reshape(-1)


def nms_min_area(boxes: Boxes, scores: Scores, max_share: float) -> Indices:
    """Return the indices of the boxes to keep, best first, as MTCNN's last stage does.

    A box goes if it shares more than ``max_share`` of the smaller one's area with a better one.
    The last row and column belong to a box, as in the published code.
    """
    return _suppress(boxes, np.argsort(scores)[::-1], max_share, border_px=1)


def drop_nested(boxes: Boxes, order: Indices, max_share: float) -> Indices:
    """Return ``order`` without boxes that lie mostly within an earlier one, or around it.

    For example, an eye detected as a small face. ``max_share`` is of the smaller box's area.
    """
    return _suppress(boxes, order, max_share, border_px=0)


def merge_boxes(
    boxes: NDArray[np.float64], scores: NDArray[np.float64], *, max_iou: float, most: int
) -> list[NDArray[np.float64]]:
    """Return at most ``most`` boxes, each the mean of those on one face, weighted by score.

    An average jitters less from frame to frame than the best box (BlazeFace, section 3.4).
    ``boxes`` are sorted, best first; columns after the fourth are averaged too.
    """
    merged: list[NDArray[np.float64]] = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(boxes) and len(merged) < most:
        shared = _intersections(boxes[0], boxes)
        same = shared > max_iou * (areas[0] + areas - shared)
        same[0] = True  # also where the box has no area
        merged.append(scores[same] @ boxes[same] / scores[same].sum())
        boxes, scores, areas = boxes[~same], scores[~same], areas[~same]
    return merged


def _suppress(boxes: Boxes, order: Indices, max_share: float, *, border_px: int) -> Indices:
    areas = (boxes[:, 2] - boxes[:, 0] + border_px) * (boxes[:, 3] - boxes[:, 1] + border_px)
    kept: list[int] = []
    while len(order):
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        shared = _intersections(boxes[best], boxes[rest], border_px)
        order = rest[shared / np.minimum(areas[best], areas[rest]) <= max_share]
    return np.array(kept, dtype=np.int64)


def _intersections(box: Boxes, boxes: Boxes, border_px: int = 0) -> Boxes:
    """Return the area that each of ``boxes`` shares with ``box``."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:4], boxes[:, 2:4]) + border_px
    return np.asarray(np.maximum(high - low, 0).prod(axis=1))
