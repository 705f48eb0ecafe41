"""Precision, recall and F1 of a detector, by threshold and by the size of the faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.config import OperatingPoint

from ..evaluation.intervals import RESAMPLES, percentile_interval, resample_means
from .matching import Detections, Matches, match_detections
from .photos import FaceBoxes

Floats = NDArray[np.float64]
LOWEST = 0.05
"""Detections with a lower score are ignored: no operating point is there."""
THRESHOLDS: Floats = np.append(np.round(np.arange(LOWEST, 1.0, 0.01), 2), (0.995, 0.999))
"""Thresholds of curves, with two more near 1, where many scores of MTCNN are."""
SIZES_PX = ((16, 32), (32, 64), (64, 128), (128, np.inf))
"""Ranges of the faces' shorter sides, without their upper ends."""
BETAS = {OperatingPoint.PRECISION: 0.5, OperatingPoint.BALANCED: 1.0, OperatingPoint.RECALL: 2.0}
"""An operating point is the threshold with the largest F-beta (van Rijsbergen 1979): recall counts
half as much as precision, as much, or twice as much."""


def f_beta(precision: Any, recall: Any, beta: float = 1.0) -> Any:
    """Return the weighted harmonic mean; 0 if both are 0."""
    weight = beta**2
    total = weight * precision + recall
    return np.divide(
        (1 + weight) * precision * recall, total, out=np.zeros_like(total), where=total > 0
    )


def count_per_photo(matches: Matches, threshold: float) -> tuple[Floats, Floats]:
    """Return (P,) right and (P,) wrong detections of each photo with at least ``threshold``."""
    kept = matches.scores >= threshold
    size = len(matches.faces)
    right = np.bincount(matches.photo[kept & matches.right], minlength=size)
    wrong = np.bincount(matches.photo[kept & ~matches.right], minlength=size)
    return right.astype(np.float64), wrong.astype(np.float64)


def compute_precision_recall_f1(right: Any, wrong: Any, faces: Any) -> dict[str, Any]:
    """Return precision, recall and F1 from numbers of detections and faces.

    Precision is 1 without detections, and recall is 1 without faces.
    """
    right, wrong, faces = (np.asarray(each, np.float64) for each in (right, wrong, faces))
    given = right + wrong
    precision = np.divide(right, given, out=np.ones_like(given), where=given > 0)
    recall = np.divide(right, faces, out=np.ones_like(faces), where=faces > 0)
    return {"precision": precision, "recall": recall, "f1": f_beta(precision, recall)}


def compute_metrics_at(matches: Matches, threshold: float) -> dict[str, Any]:
    """Return the headline figures at one threshold, each with its interval over photos."""
    right, wrong = count_per_photo(matches, threshold)
    figures = compute_precision_recall_f1(right.sum(), wrong.sum(), matches.faces.sum())
    metrics: dict[str, Any] = {name: float(value) for name, value in figures.items()}
    for name, values in bootstrap_metrics(right, wrong, matches.faces).items():
        metrics[f"{name}_interval"] = list(percentile_interval(values))
    return metrics


def bootstrap_metrics(
    right: Floats, wrong: Floats, faces: NDArray[np.int64], *, seed: int = 0
) -> dict[str, Floats]:
    """Return (R,) headline figures, one for each draw of P photos with replacement.

    The same seed draws the same photos, so that detectors can be compared draw by draw.
    """
    draws = np.random.default_rng(seed).integers(0, len(faces), size=(RESAMPLES, len(faces)))
    return compute_precision_recall_f1(*(each[draws].sum(axis=1) for each in (right, wrong, faces)))


def compute_curve(matches: Matches) -> dict[str, list[float]]:
    """Return precision, recall and F1 at each of :data:`THRESHOLDS`."""
    rows = [
        compute_precision_recall_f1(
            *(each.sum() for each in (*count_per_photo(matches, threshold), matches.faces))
        )
        for threshold in THRESHOLDS
    ]
    metrics = {"threshold": [float(each) for each in THRESHOLDS]}
    for name in ("precision", "recall", "f1"):
        metrics[name] = [round(float(row[name]), 4) for row in rows]
    return metrics


def choose_operating_points(measured: Mapping[str, Sequence[float]]) -> dict[OperatingPoint, float]:
    """Return the threshold of each operating point of a curve; the highest if several are best."""
    precision, recall = (np.asarray(measured[name]) for name in ("precision", "recall"))
    thresholds = measured["threshold"]
    points = {}
    for point, beta in BETAS.items():
        values = f_beta(precision, recall, beta)
        points[point] = float(thresholds[len(values) - 1 - int(values[::-1].argmax())])
    return points


def compute_metrics_by_size(
    found: Sequence[Detections], truth: Sequence[FaceBoxes], threshold: float
) -> dict[str, dict[str, Any]]:
    """Return headline figures and average precision for each range of :data:`SIZES_PX`."""
    metrics = {}
    for low, high in SIZES_PX:
        matches = match_detections(found, truth, smallest_px=low, largest_px=high)
        name = f"{low}-{high:.0f}" if np.isfinite(high) else f"{low}+"
        metrics[name] = {
            "faces": int(matches.faces.sum()),
            **compute_metrics_at(matches, threshold),
            "ap": matches.ap,
        }
    return metrics


def compute_false_alarm_rate(found: Sequence[Detections], threshold: float) -> dict[str, Any]:
    """Return the detections per 100 photos without a face, with an interval over photos."""
    numbers = np.array([(each.scores >= threshold).sum() for each in found], np.float64)
    if not len(numbers):
        return {}
    interval = percentile_interval(100 * resample_means(numbers))
    return {
        "negatives": len(numbers),
        "false_alarms_per_100_negatives": float(100 * numbers.mean()),
        "false_alarms_per_100_negatives_interval": list(interval),
    }
