"""Figures that several studies report, JSON-ready."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ..evaluation.metrics import Labels, Probabilities
from ..evaluation.model_metrics import compute_headlines_with_intervals
from ..evaluation.paired import compare_models


def measure_headlines(
    probabilities: Probabilities, labels: Labels, names: Sequence[str]
) -> dict[str, Any]:
    """Return the headline figures ``names`` of (N, 7) ``probabilities``, each with its interval."""
    figures = compute_headlines_with_intervals(probabilities, labels)
    return {key: figures[key] for name in names for key in (name, f"{name}_interval")}


def compare_accuracy(
    probabilities: Probabilities, reference: Probabilities, labels: Labels
) -> dict[str, Any]:
    """Return the paired difference of accuracy to ``reference``, with McNemar's p."""
    comparison = compare_models(probabilities, reference, labels)
    return {
        "accuracy": dataclasses.asdict(comparison.differences["accuracy"]),
        "mcnemar_p": comparison.mcnemar_p,
    }


def measure_flips(probabilities: Probabilities, reference: Probabilities) -> float:
    """Return the share of faces whose most probable emotion differs from ``reference``."""
    return float((probabilities.argmax(axis=1) != reference.argmax(axis=1)).mean())
