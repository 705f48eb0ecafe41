"""Deciding which detections are right, by COCO's rule as pycocotools applies it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.types import Float32Array

from .photos import FaceBoxes

MATCH_IOU = 0.5
"""The smallest intersection over union of a right detection."""
_MOST = 2000
"""Detections of one photo that count, best first."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a detector found in one photo."""

    boxes_xyxy: Float32Array
    """(N, 4) in pixels of the photo."""
    scores: NDArray[np.float64]
    """(N,)"""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The detections of all photos that count, and the number of faces."""

    photo: NDArray[np.int64]
    """(D,) index of the photo each detection is in."""
    scores: NDArray[np.float64]
    """(D,)"""
    right: NDArray[np.bool_]
    """(D,)"""
    faces: NDArray[np.int64]
    """(P,) faces to be found in each photo."""
    ap: float | None
    """Average precision at :data:`MATCH_IOU` (COCO's 101 points); None without faces."""


def match_detections(
    found: Sequence[Detections],
    truth: Sequence[FaceBoxes],
    *,
    smallest_px: float = 0.0,
    largest_px: float = np.inf,
) -> Matches:
    """Match the detections of each photo with its faces, best score first, each face once.

    Faces whose shorter side is below ``smallest_px``, or ``largest_px`` or more, and those marked
    as ignored, do not count, and neither do detections that match them. An ignored box matches any
    number of detections, by the share of the detection that it covers. A detection without a match
    whose own shorter side is outside the range does not count either.
    """
    evaluation = _run_coco(found, truth, smallest_px, largest_px)
    photo, scores, right = [], [], []
    faces = np.zeros(len(truth), np.int64)
    for each in evaluation.evalImgs:
        if each is None:
            continue
        index = each["image_id"] - 1
        faces[index] = int((~np.asarray(each["gtIgnore"], bool)).sum())
        counted = ~np.asarray(each["dtIgnore"], bool)[0]
        scores.append(np.asarray(each["dtScores"], float)[counted])
        right.append((np.asarray(each["dtMatches"])[0] > 0)[counted])
        photo.append(np.full(int(counted.sum()), index))
    precision = evaluation.eval["precision"]
    return Matches(
        photo=np.concatenate([*photo, np.zeros(0, np.int64)]).astype(np.int64),
        scores=np.concatenate([*scores, np.zeros(0)]),
        right=np.concatenate([*right, np.zeros(0, bool)]).astype(bool),
        faces=faces,
        ap=float(precision.mean()) if faces.sum() else None,
    )


def _run_coco(
    found: Sequence[Detections], truth: Sequence[FaceBoxes], smallest_px: float, largest_px: float
) -> Any:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    # It prints its progress to stdout without an option to stop that.
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(_build_coco(COCO, truth), _build_coco(COCO, found), "bbox")
        parameters = evaluation.params
        parameters.iouThrs = np.array([MATCH_IOU])
        # The areas below are squares of the shorter sides, so this is a range of sides. Its upper
        # end is excluded, while COCO would include it.
        parameters.areaRng = [[smallest_px**2, np.nextafter(min(largest_px, 1e9) ** 2, 0)]]
        parameters.areaRngLbl = ["all"]
        parameters.maxDets = [_MOST]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _build_coco(coco: Any, rows: Sequence[FaceBoxes | Detections]) -> Any:
    """Return ``rows`` as a COCO data set, made in memory instead of read from a file."""
    annotations: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        for place, (x1, y1, x2, y2) in enumerate(row.boxes_xyxy.tolist()):
            annotation = {
                "id": len(annotations) + 1,
                "image_id": index + 1,
                "category_id": 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": min(x2 - x1, y2 - y1) ** 2,
            }
            if isinstance(row, FaceBoxes):
                annotation["iscrowd"] = int(row.ignored[place])
            else:
                annotation["score"] = float(row.scores[place])
            annotations.append(annotation)
    dataset = coco()
    dataset.dataset = {
        "images": [{"id": index + 1} for index in range(len(rows))],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "face"}],
    }
    dataset.createIndex()
    return dataset
