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
    """Return the figures by which models are compared; N is at least 1.

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


def encode_labels(labels: Labels) -> Probabilities:
    """Return (N, 7) one-hot rows."""
    return np.asarray(np.eye(CLASSES)[labels])


def compute_per_class(
    probabilities: Probabilities, labels: Labels
) -> dict[str, dict[str, float | int]]:
    """Return precision, recall, F1 and support of every emotion; zero for an empty division."""
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
    """Return (7, 7) counts: one row per label, one column per answer."""
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1), labels=range(CLASSES))
    return [[int(count) for count in row] for row in matrix]


def compute_brier(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean squared distance of a row to its one-hot label, 0 to 2 (Brier 1950)."""
    return float(
        brier_score_loss(labels, probabilities, labels=list(range(CLASSES)), scale_by_half=False)
    )


def find_bin_starts(size: int, bins: int = ECE_BINS) -> NDArray[np.int64]:
    """Return the start of each of ``bins`` equal parts of ``size`` faces, without empty parts."""
    return np.asarray(np.unique(np.arange(bins) * size // bins), dtype=np.int64)


def compute_reliability(
    probabilities: Probabilities, labels: Labels, bins: int = ECE_BINS
) -> list[dict[str, float | int]]:
    """Return mean top probability and accuracy of ``bins`` equal parts of the faces.

    Faces are sorted by their top probability before they are divided.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(confidence, kind="stable")
    correct = (probabilities.argmax(axis=1) == labels)[order]
    starts = find_bin_starts(len(labels), bins)
    parts = zip(np.split(confidence[order], starts[1:]), np.split(correct, starts[1:]), strict=True)
    return [
        {"confidence": float(promised.mean()), "accuracy": float(right.mean()), "n": len(right)}
        for promised, right in parts
    ]


def compute_calibration_error(
    probabilities: Probabilities, labels: Labels, bins: int = ECE_BINS
) -> float:
    """Return the expected calibration error, bins of equal mass (Nguyen & O'Connor 2015).

    torchmetrics only has bins of equal width, most of which are empty for a good network.
    """
    parts = compute_reliability(probabilities, labels, bins)
    gaps = [part["n"] * abs(part["confidence"] - part["accuracy"]) for part in parts]
    return sum(gaps) / len(labels)


def compute_risk_coverage(probabilities: Probabilities, labels: Labels) -> dict[str, Any]:
    """Return what answering only the most certain faces gains (Geifman & El-Yaniv 2017).

    ``aurc`` is the mean error rate over every coverage 1/N, 2/N … 1; ``accuracy_at`` names
    the accuracy at 90, 80 and 70 % coverage; the curve has twenty points.
    """
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    wrong = (probabilities.argmax(axis=1) != labels)[order]
    size = len(labels)
    # The error rate among the 1, 2 … N most certain faces.
    risks = np.cumsum(wrong) / np.arange(1, size + 1)

    def accuracy_at(share: float) -> float:
        # Rounded first: 0.55 * 100 is a little more than 55.
        answered = max(1, math.ceil(round(share * size, 6)))
        return 1.0 - float(risks[answered - 1])

    shares = [step / 20 for step in range(1, 21)]
    return {
        "aurc": float(risks.mean()),
        "accuracy_at": {f"{share:g}": accuracy_at(share) for share in COVERAGES},
        "coverage": shares,
        "accuracy": [accuracy_at(share) for share in shares],
    }
