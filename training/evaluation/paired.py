"""Whether one model is better than another on the same faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from .intervals import percentile_interval, resample_headlines, resample_means
from .metrics import Labels, Probabilities, compute_headlines


@dataclass(frozen=True, slots=True)
class Difference:
    """How much higher a figure is for one model than for another."""

    value: float
    interval: tuple[float, float]
    """95 % paired bootstrap interval: the same drawn faces for both models."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model compared with another on the same N faces."""

    differences: dict[str, Difference]
    """By headline figure: the first model's minus the second's."""
    only_first_right: int
    only_second_right: int
    mcnemar_p: float
    """Two-sided exact McNemar test of equal accuracy (McNemar 1947)."""


def compare_models(first: Probabilities, second: Probabilities, labels: Labels) -> Comparison:
    """Compare (N, 7) probabilities of two models on the same faces."""
    plain = compute_headlines(first, labels), compute_headlines(second, labels)
    draws = resample_headlines(first, labels), resample_headlines(second, labels)
    differences = {}
    for name in plain[0]:
        interval = percentile_interval(draws[0][name] - draws[1][name])
        differences[name] = Difference(plain[0][name] - plain[1][name], interval)
    right = first.argmax(axis=1) == labels, second.argmax(axis=1) == labels
    gained, lost = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    # Without discordant faces there is no evidence of a difference.
    p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    return Comparison(differences, gained, lost, p)


def select_comparisons(name: str, pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how model ``name`` does against each other one, by the other's name.

    Each of ``pairs`` names two models, ``first`` and ``second``, beside its :class:`Comparison`.
    """
    result: dict[str, Any] = {}
    for each in pairs:
        value = each["differences"]["accuracy"]["value"]
        low, high = each["differences"]["accuracy"]["interval"]
        # Subtracted instead of negated, so that no difference is not written as -0.0.
        reverse = {"value": 0.0 - value, "interval": [0.0 - high, 0.0 - low]}
        direct = {"value": value, "interval": [low, high]}
        for this, other, gap in (("first", "second", direct), ("second", "first", reverse)):
            if each[this] == name:
                result[each[other]] = {"accuracy": gap, "mcnemar_p": each["mcnemar_p"]}
    return result


def compute_mean_difference(
    first: NDArray[np.float64] | NDArray[np.bool_], second: NDArray[np.float64] | NDArray[np.bool_]
) -> Difference:
    """Return how much higher the mean of ``first`` is than that of ``second``, (N,) each.

    Of right and wrong answers, this is the difference in accuracy of :func:`compare_models`,
    without its other figures, which take time.
    """
    gained = first.astype(np.float64) - second
    return Difference(float(gained.mean()), percentile_interval(resample_means(gained)))
