"""What improves bad answers without training again.

Everything here is fitted on one half of the faces and measured on the other, in turn.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from core.calibration import Calibration, softmax
from core.labels import EMOTIONS
from core.types import Float32Array

from ..data.slices import Slicing
from ..evaluation.calibrate import fit_temperature
from ..evaluation.metrics import (
    Labels,
    Probabilities,
    compute_headlines,
    compute_per_class,
    encode_labels,
)
from ..evaluation.paired import compare_models

FEWEST = 100
"""A group with fewer faces in one half keeps the calibration of all faces."""
_HALVES = StratifiedKFold(2, shuffle=True, random_state=0)
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the adjustment; 1 is right in theory where all emotions count equally."""


def compare_calibration_by_slice(
    logits: Float32Array, labels: Labels, calibration: Calibration, slicings: Sequence[Slicing]
) -> list[dict[str, Any]]:
    """Return by slicing what a separate temperature for every group changes.

    ``worst_overconfidence`` is the largest difference, over the groups, of mean top probability
    and accuracy, whichever is larger.
    """
    one = _cross_calibrate(logits, labels, calibration, np.zeros(len(labels), np.int64))
    rows = []
    for slicing in slicings:
        many = _cross_calibrate(logits, labels, calibration, slicing.member)
        found = compare_models(many, one, labels).differences
        rows.append(
            {
                "slicing": slicing.name,
                "nll_difference": dataclasses.asdict(found["nll"]),
                "ece_difference": dataclasses.asdict(found["ece"]),
                "worst_overconfidence": {
                    "one_temperature": _find_worst_overconfidence(one, labels, slicing),
                    "one_per_group": _find_worst_overconfidence(many, labels, slicing),
                },
            }
        )
    return rows


def _cross_calibrate(
    logits: Float32Array, labels: Labels, calibration: Calibration, member: NDArray[np.int64]
) -> Probabilities:
    """Return (N, 7) probabilities with a temperature for each group of ``member``."""
    result = np.zeros(logits.shape, dtype=np.float64)
    targets = encode_labels(labels)
    smoothing = calibration.smoothing
    for known, rest in _HALVES.split(labels, labels):
        of_all = fit_temperature(logits[known], targets[known], smoothing)
        for group in np.unique(member):
            fit, use = known[member[known] == group], rest[member[rest] == group]
            own = len(fit) >= FEWEST and group >= 0
            degree = fit_temperature(logits[fit], targets[fit], smoothing) if own else of_all
            result[use] = Calibration(degree, smoothing=smoothing).probabilities(logits[use])
    return result


def _find_worst_overconfidence(
    probabilities: Probabilities, labels: Labels, slicing: Slicing
) -> float:
    gaps = [
        compute_overconfidence(probabilities[inside], labels[inside])
        for inside in (slicing.member == group for group in range(len(slicing.groups)))
        if inside.sum() >= FEWEST
    ]
    return max(map(abs, gaps), default=0.0)


def compute_overconfidence(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean top probability minus the accuracy."""
    right = probabilities.argmax(axis=1) == labels
    return float(probabilities.max(axis=1).mean() - right.mean())


def adjust_probabilities(
    probabilities: Probabilities, prior: NDArray[np.float64], strength: float
) -> Probabilities:
    """Adjust logits (Menon et al. 2021) as if rare emotions were less rare.

    ``prior`` (7,) are the emotions' shares among the training faces.
    """
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    return softmax(logs - strength * np.log(prior))


def measure_logit_adjustment(
    probabilities: Probabilities, labels: Labels, counts: Mapping[str, int]
) -> dict[str, Any]:
    """Measure the adjustment at each strength, and at the one with the best macro-F1.

    ``counts`` are the training faces by emotion. ``chosen`` is measured on faces that were
    not used for the choice.
    """
    total = np.array([max(1, counts[str(emotion)]) for emotion in EMOTIONS], dtype=np.float64)
    prior = total / total.sum()
    adjusted = {each: adjust_probabilities(probabilities, prior, each) for each in STRENGTHS}
    result = np.zeros_like(probabilities)
    strengths = []
    for known, rest in _HALVES.split(labels, labels):
        scores = {
            each: compute_headlines(rows[known], labels[known])["macro_f1"]
            for each, rows in adjusted.items()
        }
        best = max(scores, key=lambda each: scores[each])
        strengths.append(best)
        result[rest] = adjusted[best][rest]
    found = compare_models(result, probabilities, labels).differences
    names = ("accuracy", "balanced_accuracy", "macro_f1")
    return {
        "strengths": [
            {"strength": each, **_measure_answers(rows, labels)} for each, rows in adjusted.items()
        ],
        "chosen": {
            "strengths": strengths,
            **_measure_answers(result, labels),
            "differences": {name: dataclasses.asdict(found[name]) for name in names},
        },
    }


def _measure_answers(probabilities: Probabilities, labels: Labels) -> dict[str, Any]:
    result = compute_headlines(probabilities, labels)
    recalls = {
        name: row["recall"] for name, row in compute_per_class(probabilities, labels).items()
    }
    lowest = min(recalls, key=lambda name: recalls[name])
    return {
        **{name: result[name] for name in ("accuracy", "balanced_accuracy", "macro_f1", "ece")},
        "lowest_recall": {"emotion": lowest, "recall": recalls[lowest]},
    }
