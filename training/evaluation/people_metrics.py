"""Figures of the reading of people: how far answers agree with what the crowd saw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.calibration import CROWD_HEAD, Calibration, softmax
from core.labels import EMOTIONS
from core.types import Float32Array

from ..data.votes import VOTE_CLASSES, Votes
from ..learning.loader import VOTES_TO_COUNT
from .crowd import compute_share_error, score_against_crowd
from .intervals import RESAMPLES, percentile_interval, resample_means
from .metrics import ECE_BINS, Probabilities, find_bin_starts

_SCORES = ("agreement", "voters", "kl")


def compute_people_metrics(
    logits: Float32Array, calibration: Calibration, votes: Votes
) -> dict[str, Any] | None:
    """Return the figures of the reading of people; None if no face has enough votes.

    Faces count on which five people or more named one of the seven emotions. ``agreement`` is the
    share of answers that are the crowd's first choice, ``voters`` the mean share of people who name
    the answer, ``kl`` the mean KL(votes || answer) in nats, ``share_error`` the calibration error
    of shares. ``crowd_head`` has the first three of the crowd head alone. ``majority_of_eight`` is
    the usual FER+ protocol: contempt counts as a class, which no answer names.
    """
    shares = votes.shares(VOTES_TO_COUNT).astype(np.float64)
    voted = shares.sum(axis=1) > 0
    if not voted.any():
        return None
    crowd = shares[voted]
    every_answer = calibration.probabilities(logits)
    answers = every_answer[voted]
    metrics: dict[str, Any] = {"n": int(voted.sum()), **_compute_scores(answers, crowd)}
    error = compute_share_error(answers, crowd)
    metrics["share_error"] = error
    metrics["share_error_interval"] = _resample_share_error(answers, crowd, error)
    right = score_against_crowd(answers, crowd)["agreement"] > 0
    certain = calibration.is_certain(answers)
    metrics["certain"] = {
        "from": calibration.certain_from,
        "coverage": float(certain.mean()),
        "accuracy": float(right[certain].mean()) if certain.any() else None,
    }
    metrics["crowd_share"] = calibration.crowd_share
    metrics["temperature"] = calibration.temperature
    metrics["per_class"] = _compute_per_class(answers, crowd)
    metrics["reliability"] = _compute_reliability(answers, crowd)
    metrics["majority_of_eight"] = _compute_majority(every_answer, votes)
    if logits.ndim == 3:
        head = softmax(logits[voted, CROWD_HEAD])
        metrics["crowd_head"] = _compute_scores(head, crowd)
    return metrics


def select_recorded_people(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return those figures of :func:`compute_people_metrics` that the manifest keeps."""
    left_out = {"per_class", "reliability"}
    return {name: value for name, value in metrics.items() if name not in left_out}


def _compute_scores(answers: Probabilities, crowd: Probabilities) -> dict[str, Any]:
    scores = score_against_crowd(answers, crowd)
    result: dict[str, Any] = {}
    for name in _SCORES:
        result[name] = float(scores[name].mean())
        result[f"{name}_interval"] = list(percentile_interval(resample_means(scores[name])))
    return result


def _resample_share_error(
    answers: Probabilities, crowd: Probabilities, measured: float
) -> list[float]:
    """Return the bootstrap interval of the share error, without the bias of resampling."""
    generator = np.random.default_rng(0)
    size = len(answers)
    draws = [generator.integers(0, size, size) for _ in range(RESAMPLES)]
    drawn = np.array([compute_share_error(answers[draw], crowd[draw]) for draw in draws])
    return list(percentile_interval(np.maximum(drawn - (drawn.mean() - measured), 0.0)))


def _compute_per_class(answers: Probabilities, crowd: Probabilities) -> dict[str, dict[str, Any]]:
    """Return for the faces whose first choice is an emotion how often the answer is that too."""
    first, top = crowd.argmax(axis=1), answers.argmax(axis=1)
    rows = {}
    for index, emotion in enumerate(EMOTIONS):
        inside, named = first == index, top == index
        rows[str(emotion)] = {
            "n": int(inside.sum()),
            "recall": _mean_or_none(named[inside]),
            "precision": _mean_or_none(inside[named]),
        }
    return rows


def _mean_or_none(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None


def _compute_reliability(
    answers: Probabilities, crowd: Probabilities
) -> list[dict[str, float | int]]:
    """Return mean probability and mean share of people for equal parts of the answers."""
    top = answers.max(axis=1)
    order = np.argsort(top, kind="stable")
    voters = score_against_crowd(answers, crowd)["voters"][order]
    starts = find_bin_starts(len(top), ECE_BINS)[1:]
    parts = zip(np.split(top[order], starts), np.split(voters, starts), strict=True)
    return [
        {"confidence": float(given.mean()), "accuracy": float(said.mean()), "n": len(said)}
        for given, said in parts
    ]


def _compute_majority(answers: Probabilities, votes: Votes) -> dict[str, Any] | None:
    """Return the agreement with the majority of eight classes, unknown and no face left out.

    As in the code of Barsoum et al. (2016), a class with a single vote has none, and faces count
    on which one class has more than half of the votes that are left.
    """
    counts = np.where(votes.counts > 1, votes.counts, 0)
    named = counts[:, :VOTE_CLASSES]
    clear = named.max(axis=1) > counts.sum(axis=1) / 2
    if not clear.any():
        return None
    right = answers[clear].argmax(axis=1) == named[clear].argmax(axis=1)
    interval = percentile_interval(resample_means(right.astype(np.float64)))
    return {"n": int(clear.sum()), "accuracy": float(right.mean()), "interval": list(interval)}
