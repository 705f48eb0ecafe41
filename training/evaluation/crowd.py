"""How far the answers agree with the crowd votes on the same faces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from core.calibration import blend_heads, softmax
from core.labels import EMOTIONS

from ..data.votes import VOTE_CLASSES, Votes
from .metrics import ECE_BINS, Labels, Probabilities, find_bin_starts


def measure_crowd_agreement(
    probabilities: Probabilities, labels: Labels, votes: Votes
) -> dict[str, Any] | None:
    """Return the agreement with FER+ votes on the faces that have any; None if no face has.

    ``kl`` is the mean divergence KL(votes || probabilities) in nats, over the seven emotions
    (without votes for contempt, and without faces that have no other votes). An answer matches
    the plurality if no expression, contempt included, got more votes.
    """
    known = votes.known
    if not known.any():
        return None
    counts = votes.counts[known, :VOTE_CLASSES].astype(np.float64)
    probabilities, labels = probabilities[known], labels[known]
    most = counts.max(axis=1)
    rows = np.arange(len(labels))
    top = probabilities.argmax(axis=1)
    matches = counts[rows, top] == most
    wrong = top != labels
    return {
        "n": len(labels),
        "kl": _compute_divergence(counts[:, : len(EMOTIONS)], probabilities),
        "answers_matching_plurality": float(matches.mean()),
        "labels_matching_plurality": float((counts[rows, labels] == most).mean()),
        "errors": int(wrong.sum()),
        "errors_matching_plurality": float(matches[wrong].mean()) if wrong.any() else None,
    }


def _compute_divergence(votes: Probabilities, probabilities: Probabilities) -> float | None:
    counted = votes.sum(axis=1) > 0
    if not counted.any():
        return None
    shares = votes[counted] / votes[counted].sum(axis=1, keepdims=True)
    return float(score_against_crowd(probabilities[counted], shares)["kl"].mean())


def score_against_crowd(
    probabilities: Probabilities, shares: NDArray[np.floating[Any]]
) -> dict[str, NDArray[np.float64]]:
    """Return how each of (N, 7) ``probabilities`` compares with the (N, 7) ``shares`` of votes.

    Each value is (N,): ``agreement`` is 1 where no emotion got more votes than the answer, else 0;
    ``voters`` is the share of people who name the answer; ``kl`` is KL(shares || probabilities) in
    nats.
    """
    top = probabilities.argmax(axis=1)[:, None]
    voters = np.take_along_axis(shares, top, axis=1)[:, 0].astype(np.float64)
    given = np.maximum(probabilities, np.finfo(np.float64).tiny)
    return {
        "agreement": (voters == shares.max(axis=1)).astype(np.float64),
        "voters": voters,
        "kl": np.asarray(rel_entr(shares, given).sum(axis=1)),
    }


def compute_cross_entropy(
    probabilities: Probabilities,
    targets: Probabilities,
    weights: NDArray[np.float64] | None = None,
) -> float:
    """Return the mean cross-entropy of (N, 7) ``targets`` with the answers, in nats.

    With one-hot targets this is the negative log-likelihood. ``weights`` are (N,), one for each
    face; without them all count equally.
    """
    rows = -(targets * _log(probabilities)).sum(axis=1)
    return float(np.average(rows, weights=weights))


def compute_share_error(
    probabilities: Probabilities, targets: Probabilities, bins: int = ECE_BINS
) -> float:
    """Return how far the probability of an answer lies from the share of people who give it.

    This is the expected calibration error with bins of equal mass, for shares of votes in place of
    right and wrong; with one-hot ``targets`` it is :func:`.metrics.compute_calibration_error`.
    """
    top = probabilities.max(axis=1)
    order = np.argsort(top, kind="stable")
    gaps = (top - score_against_crowd(probabilities, targets)["voters"])[order]
    parts = np.add.reduceat(gaps, find_bin_starts(len(gaps), bins))
    return float(np.abs(parts).sum() / len(gaps))


def blend_readings(
    labels: Probabilities, crowd: Probabilities, crowd_share: float
) -> Probabilities:
    """Return the weighted geometric mean of two (N, 7) answers, rows summing to one."""
    blend: Probabilities = blend_heads(_log(np.stack([labels, crowd], axis=1)), crowd_share)
    return softmax(blend)


def _log(probabilities: Probabilities) -> Probabilities:
    return np.asarray(np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)))
