"""Figures of one set of probabilities, most of them by scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    recall_score,
)

from core.labels import EMOTIONS

Probabilities = NDArray[np.float64]
"""(N, 7) rows that sum to one."""
Labels = NDArray[np.int64]
"""(N,) indices into :data:`core.labels.EMOTIONS`."""

CLASSES = len(EMOTIONS)
ECE_BINS = 15
COVERAGES = (0.9, 0.8, 0.7)
"""Shares of the most certain faces whose accuracy is reported."""


def compute_headlines(probabilities: Probabilities, labels: Labels) -> dict[str, float]:
    """The figures by which models are compared; N is at least 1.

    Balanced accuracy and macro-F1 are means over the emotions that occur in ``labels``.
    """
    top = probabilities.argmax(axis=1)
    present = np.unique(labels)
    return {
        "accuracy": float(accuracy_score(labels, top)),
        "balanced_accuracy": float(
            recall_score(labels, top, labels=present, average="macro", zero_division=0)
        ),
        "macro_f1": float(f1_score(labels, top, labels=present, average="macro", zero_division=0)),
        "nll": float(log_loss(labels, probabilities, labels=range(CLASSES))),
        "brier": compute_brier(probabilities, labels),
        "ece": compute_calibration_error(probabilities, labels),
    }


def compute_per_class(
    probabilities: Probabilities, labels: Labels
) -> dict[str, dict[str, float | int]]:
    """Precision, recall, F1 and support of every emotion; zero where there is nothing to divide."""
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=range(CLASSES), zero_division=0
    )
    return {
        str(emotion): {
            "precision": float(precision[index]),
            "recall": float(recall[index]),
            "f1": float(f1[index]),
            "support": int(support[index]),
        }
        for index, emotion in enumerate(EMOTIONS)
    }


def count_confusions(probabilities: Probabilities, labels: Labels) -> list[list[int]]:
    """(7, 7) counts: one row per label, one column per answer."""
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1), labels=range(CLASSES))
    return [[int(count) for count in row] for row in matrix]


def compute_brier(probabilities: Probabilities, labels: Labels) -> float:
    """Mean squared distance of a row to its one-hot label, 0..2 (Brier 1950, his own scale)."""
    return float(
        brier_score_loss(labels, probabilities, labels=list(range(CLASSES)), scale_by_half=False)
    )


def find_bin_starts(size: int, bins: int = ECE_BINS) -> NDArray[np.int64]:
    """Where each of ``bins`` equal parts of ``size`` ordered faces starts, empty ones left out."""
    return np.asarray(np.unique(np.arange(bins) * size // bins), dtype=np.int64)


def compute_reliability(
    probabilities: Probabilities, labels: Labels, bins: int = ECE_BINS
) -> list[dict[str, float | int]]:
    """What was promised (mean top probability) and what came (accuracy), in ``bins`` equal parts.

    Faces are ordered by their top probability before they are parted.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(confidence, kind="stable")
    correct = (probabilities.argmax(axis=1) == labels)[order]
    starts = find_bin_starts(len(labels), bins)
    parts = zip(np.split(confidence[order], starts[1:]), np.split(correct, starts[1:]), strict=True)
    return [
        {"confidence": float(promised.mean()), "accuracy": float(came.mean()), "n": len(came)}
        for promised, came in parts
    ]


def compute_calibration_error(
    probabilities: Probabilities, labels: Labels, bins: int = ECE_BINS
) -> float:
    """Expected calibration error with bins of equal mass (Nguyen & O'Connor 2015).

    torchmetrics offers bins of equal width only, most of which a good network leaves empty.
    """
    parts = compute_reliability(probabilities, labels, bins)
    gaps = [part["n"] * abs(part["confidence"] - part["accuracy"]) for part in parts]
    return sum(gaps) / len(labels)


def compute_risk_coverage(probabilities: Probabilities, labels: Labels) -> dict[str, Any]:
    """What answering only the most certain faces gains (Geifman & El-Yaniv 2017).

    ``aurc`` is the mean error rate over every coverage 1/N, 2/N … 1; ``accuracy_at`` names
    the accuracy at 90, 80 and 70 % coverage; the curve has twenty points.
    """
    risks = _risks(probabilities, labels)
    size = len(labels)
    shares = [step / 20 for step in range(1, 21)]
    return {
        "aurc": float(risks.mean()),
        "accuracy_at": {
            f"{share:g}": 1.0 - float(risks[_answered(share, size) - 1]) for share in COVERAGES
        },
        "coverage": shares,
        "accuracy": [1.0 - float(risks[_answered(share, size) - 1]) for share in shares],
    }


def _risks(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """(N,) error rate among the 1, 2 … N most certain faces."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    wrong = (probabilities.argmax(axis=1) != labels)[order]
    return np.asarray(np.cumsum(wrong) / np.arange(1, len(labels) + 1))


def _answered(share: float, size: int) -> int:
    # Rounded first: 0.55 * 100 is a little more than 55.
    return max(1, math.ceil(round(share * size, 6)))
