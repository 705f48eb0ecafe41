"""Precision, recall and F1 of a detector, by threshold and by the size of the faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.config import OperatingPoint

from ..evaluation.intervals import RESAMPLES, percentile_interval, resample_means
from .matching import Detections, Matches, match_detections
from .photos import FaceBoxes

Floats = NDArray[np.float64]
LOWEST = 0.05
"""Scores below this are not looked at: no operating point lies there."""
THRESHOLDS: Floats = np.round(np.arange(LOWEST, 1.0, 0.01), 2)
"""Where curves are measured; 0.999 is added, since MTCNN's scores crowd near 1."""
THRESHOLDS = np.append(THRESHOLDS, (0.995, 0.999))
SIZES_PX = ((16, 32), (32, 64), (64, 128), (128, np.inf))
"""Classes of the faces' shorter sides, the upper end left out."""
BETAS = {OperatingPoint.PRECISION: 0.5, OperatingPoint.BALANCED: 1.0, OperatingPoint.RECALL: 2.0}
"""An operating point is the threshold with the largest F-beta (van Rijsbergen 1979): recall counts
half as much as precision, as much, or twice as much."""


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedDetections:
    """A detector's detections in annotated photos, with the photos' faces."""

    found: Sequence[Detections]
    truth: Sequence[FaceBoxes]

    def matches(self, smallest_px: float, largest_px: float = np.inf) -> Matches:
        """Right and wrong detections of faces of this range of sizes."""
        return match_detections(
            self.found, self.truth, smallest_px=smallest_px, largest_px=largest_px
        )


def f_beta(precision: Any, recall: Any, beta: float = 1.0) -> Any:
    """Weighted harmonic mean; 0 where both are 0."""
    weight = beta**2
    total = weight * precision + recall
    return np.divide(
        (1 + weight) * precision * recall, total, out=np.zeros_like(total), where=total > 0
    )


def count_per_photo(matches: Matches, threshold: float) -> tuple[Floats, Floats]:
    """(P,) right and (P,) wrong detections of each photo scored at or above ``threshold``."""
    kept = matches.scores >= threshold
    size = len(matches.faces)
    right = np.bincount(matches.photo[kept & matches.right], minlength=size)
    wrong = np.bincount(matches.photo[kept & ~matches.right], minlength=size)
    return right.astype(np.float64), wrong.astype(np.float64)


def precision_recall_f1(right: Any, wrong: Any, faces: Any) -> dict[str, Any]:
    """Precision, recall and F1 from numbers of detections and faces.

    Without any detection none is wrong, and without any face none is missed: both are 1 then.
    """
    right, wrong, faces = (np.asarray(each, np.float64) for each in (right, wrong, faces))
    given = right + wrong
    precision = np.divide(right, given, out=np.ones_like(given), where=given > 0)
    recall = np.divide(right, faces, out=np.ones_like(faces), where=faces > 0)
    return {"precision": precision, "recall": recall, "f1": f_beta(precision, recall)}


def metrics_at(matches: Matches, threshold: float) -> dict[str, Any]:
    """Headline figures at one threshold, each with its interval over photos beside it."""
    right, wrong = count_per_photo(matches, threshold)
    figures = precision_recall_f1(right.sum(), wrong.sum(), matches.faces.sum())
    metrics: dict[str, Any] = {name: float(value) for name, value in figures.items()}
    for name, values in bootstrap_metrics(right, wrong, matches.faces).items():
        metrics[f"{name}_interval"] = list(percentile_interval(values))
    return metrics


def bootstrap_metrics(
    right: Floats, wrong: Floats, faces: NDArray[np.int64], *, seed: int = 0
) -> dict[str, Floats]:
    """(R,) headline figures, one for each time that P photos were drawn with replacement.

    The same seed draws the same photos, so that detectors can be compared draw by draw.
    """
    draws = np.random.default_rng(seed).integers(0, len(faces), size=(RESAMPLES, len(faces)))
    return precision_recall_f1(*(each[draws].sum(axis=1) for each in (right, wrong, faces)))


def compute_curve(matches: Matches) -> dict[str, list[float]]:
    """Precision, recall and F1 at each of :data:`THRESHOLDS`."""
    rows = [
        precision_recall_f1(
            *(each.sum() for each in (*count_per_photo(matches, threshold), matches.faces))
        )
        for threshold in THRESHOLDS
    ]
    metrics = {"threshold": [float(each) for each in THRESHOLDS]}
    for name in ("precision", "recall", "f1"):
        metrics[name] = [round(float(row[name]), 4) for row in rows]
    return metrics


def choose_operating_points(measured: Mapping[str, Sequence[float]]) -> dict[OperatingPoint, float]:
    """The threshold of each operating point, from :func:`compute_curve`; of equals the higher."""
    precision, recall = (np.asarray(measured[name]) for name in ("precision", "recall"))
    thresholds = measured["threshold"]
    points = {}
    for point, beta in BETAS.items():
        values = f_beta(precision, recall, beta)
        points[point] = float(thresholds[len(values) - 1 - int(values[::-1].argmax())])
    return points


def metrics_by_size(measured: AnnotatedDetections, threshold: float) -> dict[str, dict[str, Any]]:
    """Headline figures and average precision for each class of :data:`SIZES_PX`."""
    metrics = {}
    for low, high in SIZES_PX:
        matches = measured.matches(low, high)
        name = f"{low}-{high:.0f}" if np.isfinite(high) else f"{low}+"
        metrics[name] = {
            "faces": int(matches.faces.sum()),
            **metrics_at(matches, threshold),
            "ap": matches.ap,
        }
    return metrics


def false_alarm_rate(found: Sequence[Detections], threshold: float) -> dict[str, Any]:
    """Detections in photos without a face, per 100 photos, with an interval over photos."""
    numbers = np.array([(each.scores >= threshold).sum() for each in found], np.float64)
    if not len(numbers):
        return {}
    interval = percentile_interval(100 * resample_means(numbers))
    return {
        "negatives": len(numbers),
        "false_alarms_per_100_negatives": float(100 * numbers.mean()),
        "false_alarms_per_100_negatives_interval": list(interval),
    }
