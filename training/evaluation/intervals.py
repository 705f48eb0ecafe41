"""Confidence intervals: bootstrap over faces or photos, and Wilson's for a share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from .metrics import CLASSES, Labels, Probabilities, compute_calibration_error, find_bin_starts

RESAMPLES = 1000
LEVEL = 0.95
_CHUNK = 100
"""Resamples held in memory at once: 100 x 3,589 faces take a few megabytes an array."""


def bootstrap_intervals(
    probabilities: Probabilities,
    labels: Labels,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Return the percentile interval of every headline figure by name (Efron & Tibshirani 1993).

    Resampling adds noise, which raises a sum of absolute gaps: resampled ``ece`` is above the
    measured one. Its interval is shifted down by that bias, but not below 0.
    """
    drawn = resample_headlines(probabilities, labels, resamples=resamples, seed=seed)
    bias = drawn["ece"].mean() - compute_calibration_error(probabilities, labels)
    drawn["ece"] = np.maximum(drawn["ece"] - bias, 0.0)
    return {name: percentile_interval(values, level) for name, values in drawn.items()}


def percentile_interval(values: NDArray[np.float64], level: float = LEVEL) -> tuple[float, float]:
    """Return the lower and upper end of the middle ``level`` of (R,) resampled values."""
    tail = (1 - level) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)


def resample_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (R,) means of (N,) ``values``, each over N of them drawn with replacement.

    The same draws for every N, so that differences can be taken draw by draw.
    """
    size = len(values)
    draws = np.random.default_rng(0).integers(0, size, size=(RESAMPLES, size))
    return np.asarray(values[draws].mean(axis=1))


def share_with_interval(name: str, part: int, whole: int) -> dict[str, Any]:
    """Return a share and its Wilson interval by name; None if there is nothing to divide by."""
    if not whole:
        return {name: None, f"{name}_interval": None}
    span = binomtest(part, whole).proportion_ci(LEVEL, method="wilson")
    return {name: part / whole, f"{name}_interval": [float(span.low), float(span.high)]}


def resample_headlines(
    probabilities: Probabilities, labels: Labels, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Return (R,) values of every headline figure, one for each draw of N faces.

    Faces are drawn with replacement. Every figure and, for the same seed and number of faces,
    every model has the same draws, so that models can be compared draw by draw.
    """
    generator = np.random.default_rng(seed)
    faces = _SortedFaces(probabilities, labels)
    parts = []
    for start in range(0, resamples, _CHUNK):
        count = min(_CHUNK, resamples - start)
        draws = generator.integers(0, len(labels), size=(count, len(labels)))
        parts.append(faces.compute_figures(draws))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class _SortedFaces:
    """Faces in the order of their top probability, so that sorted draws have this order as well."""

    def __init__(self, probabilities: Probabilities, labels: Labels) -> None:
        order = np.argsort(probabilities.max(axis=1), kind="stable")
        self._rank = np.empty_like(order)
        self._rank[order] = np.arange(len(order))
        ordered, self._labels = probabilities[order], labels[order]
        self._confidence = ordered.max(axis=1)
        self._top = ordered.argmax(axis=1)
        given = ordered[np.arange(len(ordered)), self._labels]
        # The smallest probability that scikit-learn's log_loss uses.
        self._surprise = -np.log(np.maximum(given, np.finfo(np.float64).eps))
        self._distance = (ordered**2).sum(axis=1) - 2 * given + 1

    def compute_figures(self, draws: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return (R,) values of each headline figure for (R, N) drawn faces."""
        draws = np.sort(self._rank[draws], axis=1)
        count, size = draws.shape
        cells = self._labels * CLASSES + self._top
        keys = cells[draws] + np.arange(count)[:, None] * CLASSES**2
        tables = np.bincount(keys.ravel(), minlength=count * CLASSES**2).reshape(
            count, CLASSES, CLASSES
        )
        hits = np.diagonal(tables, axis1=1, axis2=2).astype(np.float64)
        given, answered = tables.sum(axis=2), tables.sum(axis=1)
        return {
            "accuracy": hits.sum(axis=1) / size,
            "balanced_accuracy": _average(_divide(hits, given), given),
            "macro_f1": _average(_divide(2 * hits, given + answered), given),
            "nll": self._surprise[draws].mean(axis=1),
            "brier": self._distance[draws].mean(axis=1),
            "ece": self._compute_calibration_error(draws),
        }

    def _compute_calibration_error(self, draws: NDArray[np.int64]) -> NDArray[np.float64]:
        correct = (self._top == self._labels).astype(np.float64)
        gaps = (self._confidence - correct)[draws]
        parts = np.add.reduceat(gaps, find_bin_starts(draws.shape[1]), axis=1)
        return np.asarray(np.abs(parts).sum(axis=1) / draws.shape[1])


def _divide(above: NDArray[np.float64], below: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _average(values: NDArray[np.float64], given: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the (R,) mean of (R, 7) values over the emotions that were drawn."""
    drawn = given > 0
    return np.asarray((values * drawn).sum(axis=1) / drawn.sum(axis=1))
