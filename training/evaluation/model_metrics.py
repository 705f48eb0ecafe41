"""All figures of one model on one set of faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.calibration import Calibration, softmax
from core.types import Float32Array

from ..data.votes import Votes
from .conformal import measure_conformal_sets
from .crowd import measure_crowd_agreement
from .intervals import LEVEL, RESAMPLES, bootstrap_intervals
from .metrics import (
    Labels,
    Probabilities,
    compute_headlines,
    compute_per_class,
    compute_reliability,
    compute_risk_coverage,
    count_confusions,
)
from .paired import select_comparisons
from .people_metrics import select_recorded_people

HEADLINES = ("accuracy", "balanced_accuracy", "macro_f1", "nll", "brier", "ece")


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """What answers are compared with."""

    labels: Labels
    votes: Votes | None
    seen: NDArray[np.bool_] | None
    """(N,) whether a near-copy was among the training faces; None if those are unknown."""


def compute_metrics(
    logits: Float32Array, calibration: Calibration, ground_truth: GroundTruth
) -> dict[str, Any]:
    """Return the figures of the label head's (N, 7) ``logits``, each headline with its interval.

    ``seen`` faces count in the headlines, as is usual with FER-2013; ``deduplicated`` has the
    headlines without them.
    """
    probabilities = calibration.probabilities(logits)
    uncalibrated = softmax(logits)
    plain = compute_headlines(uncalibrated, ground_truth.labels)
    return {
        **compute_headlines_with_intervals(probabilities, ground_truth.labels),
        "nll_uncalibrated": plain["nll"],
        "brier_uncalibrated": plain["brier"],
        "ece_uncalibrated": plain["ece"],
        "temperature": calibration.temperature,
        "smoothing": calibration.smoothing,
        "certain": _measure_certain(probabilities, ground_truth.labels, calibration),
        "per_class": compute_per_class(probabilities, ground_truth.labels),
        "confusion_matrix": count_confusions(probabilities, ground_truth.labels),
        "risk_coverage": compute_risk_coverage(probabilities, ground_truth.labels),
        "reliability": compute_reliability(probabilities, ground_truth.labels),
        "reliability_uncalibrated": compute_reliability(uncalibrated, ground_truth.labels),
        "conformal": measure_conformal_sets(probabilities, ground_truth.labels),
        "crowd": measure_crowd_agreement(probabilities, ground_truth.labels, ground_truth.votes)
        if ground_truth.votes
        else None,
        "deduplicated": _measure_unseen(probabilities, ground_truth),
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "method": "percentile bootstrap"},
    }


def select_recorded(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return those figures of model ``name`` in a metrics.json that the manifest keeps."""
    metrics = document["models"][name]
    kept = {"data": document["data"], "n": metrics["n"]}
    for figure in HEADLINES:
        kept[figure] = metrics[figure]
        kept[f"{figure}_interval"] = metrics[f"{figure}_interval"]
    kept["ece_uncalibrated"] = metrics["ece_uncalibrated"]
    kept["certain"] = metrics["certain"]
    if metrics["people"]:
        kept["people"] = select_recorded_people(metrics["people"])
    if metrics["deduplicated"]:
        kept["deduplicated"] = metrics["deduplicated"]
    comparisons = select_comparisons(name, document["pairs"])
    if comparisons:
        kept["against"] = comparisons
    return kept


def compute_headlines_with_intervals(
    probabilities: Probabilities, labels: Labels
) -> dict[str, Any]:
    """Return every headline figure with its interval, and the number of faces."""
    spans = bootstrap_intervals(probabilities, labels)
    metrics: dict[str, Any] = {"n": len(labels)}
    for name, value in compute_headlines(probabilities, labels).items():
        metrics[name] = value
        metrics[f"{name}_interval"] = list(spans[name])
    return metrics


def _measure_certain(
    probabilities: Probabilities, labels: Labels, calibration: Calibration
) -> dict[str, Any]:
    """Return the share of faces with a certain answer, and the accuracy on those."""
    certain = calibration.is_certain(probabilities)
    right = probabilities.argmax(axis=1) == labels
    return {
        "from": calibration.certain_from,
        "coverage": float(certain.mean()),
        "accuracy": float(right[certain].mean()) if certain.any() else None,
    }


def _measure_unseen(
    probabilities: Probabilities, ground_truth: GroundTruth
) -> dict[str, Any] | None:
    if ground_truth.seen is None:
        return None
    fresh = ~ground_truth.seen
    metrics: dict[str, Any] = {"removed": int(ground_truth.seen.sum()), "n": int(fresh.sum())}
    if fresh.any():
        metrics |= compute_headlines_with_intervals(
            probabilities[fresh], ground_truth.labels[fresh]
        )
    return metrics
