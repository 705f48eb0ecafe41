"""Whether a group of faces is answered worse than the rest, given its mix of emotions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, false_discovery_control, norm

from .intervals import LEVEL
from .metrics import CLASSES, Labels


@dataclass(frozen=True, slots=True)
class Gap:
    """How much higher the accuracy of a group's faces is than that of the others."""

    value: float
    """Difference of accuracy between faces of the same label, averaged over the labels."""
    interval: tuple[float, float]
    """95 %."""
    p: float
    """Two-sided p-value of no difference."""


def compute_accuracy_gap(
    right: NDArray[np.bool_], inside: NDArray[np.bool_], labels: Labels
) -> Gap | None:
    """Return the gap of the faces ``inside``, all (N,); None if no label has faces on both sides.

    Some emotions are harder than others, and a group may contain more of them. Faces are therefore
    compared within their label: Mantel and Haenszel's risk difference with the variance of
    Greenland and Robins (1985), and the Cochran-Mantel-Haenszel test without correction.
    """
    n1, hit1 = _count_labels(labels[inside]), _count_labels(labels[inside & right])
    n0, hit0 = _count_labels(labels[~inside]), _count_labels(labels[~inside & right])
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        return None
    n1, n0, hit1, hit0 = n1[both], n0[both], hit1[both], hit0[both]
    share1, share0, total = hit1 / n1, hit0 / n0, n1 + n0
    weight = n1 * n0 / total
    value = float((weight * (share1 - share0)).sum() / weight.sum())
    spread = share1 * (1 - share1) / n1 + share0 * (1 - share0) / n0
    error = math.sqrt(float((weight**2 * spread).sum())) / float(weight.sum())
    reach = float(norm.ppf((1 + LEVEL) / 2)) * error
    hits = hit1 + hit0
    # A stratum of one face says nothing about a difference, and would divide by zero.
    varied = total > 1
    chance = n1 * n0 * hits * (total - hits) / (total**2 * np.maximum(total - 1, 1))
    variance = float(chance[varied].sum())
    excess = float((hit1 - n1 * hits / total)[varied].sum())
    p = float(chi2.sf(excess**2 / variance, df=1)) if variance > 0 else 1.0
    return Gap(value, (value - reach, value + reach), p)


def _count_labels(labels: Labels) -> NDArray[np.float64]:
    return np.bincount(labels, minlength=CLASSES).astype(np.float64)


def adjust_p_values(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for their number (Benjamini & Hochberg 1995).

    Of all gaps whose adjusted value is at most .05, one in twenty is expected to be false.
    """
    return [float(each) for each in false_discovery_control(p_values)] if p_values else []
