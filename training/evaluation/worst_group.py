"""How far the worst answered group of faces lies behind, and whether training closes the gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.slices import Slicing
from .disparity import Gap, compute_accuracy_gap
from .intervals import RESAMPLES, percentile_interval
from .metrics import CLASSES, Labels
from .paired import Difference


@dataclass(frozen=True, slots=True)
class WorstGroup:
    """The group whose faces are answered rightly least often, against others of their label."""

    slicing: str
    group: str
    n: int
    accuracy: float
    gap: Gap
    """Its interval does not know that the worst of many was picked."""


def find_worst_group(
    right: NDArray[np.bool_], labels: Labels, slicings: Sequence[Slicing], least: int
) -> WorstGroup | None:
    """The worst among groups of at least ``least`` faces; None where there is none."""
    found = []
    for slicing, index in _large(slicings, least):
        known, inside = slicing.member >= 0, slicing.member == index
        gap = compute_accuracy_gap(right[known], inside[known], labels[known])
        if gap is not None:
            location = slicing.name, slicing.groups[index], int(inside.sum())
            found.append(WorstGroup(*location, float(right[inside].mean()), gap))
    return min(found, key=lambda each: each.gap.value, default=None)


def compute_worst_gap_difference(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    labels: Labels,
    slicings: Sequence[Slicing],
    least: int,
) -> Difference:
    """How much smaller the worst group's gap is where the (N,) ``first`` answers are right.

    Positive: the group that is worst then lies less far behind than the one that is worst with
    ``second``, be it the same or not. Paired bootstrap: every draw has its own worst groups.
    """
    size = len(labels)
    draws = np.random.default_rng(0).integers(0, size, size=(RESAMPLES, size))
    drawn = np.stack([np.bincount(row, minlength=size) for row in draws]).astype(np.float32)
    # The first row is what was measured, every face once.
    drawn = np.concatenate([np.ones((1, size), np.float32), drawn])
    groups = _large(slicings, least)
    sides = [
        np.stack([slicing.member == index for slicing, index in groups], axis=1),
        np.stack(
            [(slicing.member >= 0) & (slicing.member != index) for slicing, index in groups], 1
        ),
    ]
    worst = [_gaps(drawn, right, labels, sides).min(axis=1) for right in (first, second)]
    closed = worst[0] - worst[1]
    return Difference(float(closed[0]), percentile_interval(closed[1:]))


def _large(slicings: Sequence[Slicing], least: int) -> list[tuple[Slicing, int]]:
    return [
        (slicing, index)
        for slicing in slicings
        for index in range(len(slicing.groups))
        if (slicing.member == index).sum() >= least
    ]


def _gaps(
    drawn: NDArray[np.float32],
    right: NDArray[np.bool_],
    labels: Labels,
    sides: Sequence[NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """Return (R, G) accuracy gaps from how often, (R, N), each face was drawn."""
    above = np.zeros((len(drawn), sides[0].shape[1]))
    below = np.zeros_like(above)
    for label in range(CLASSES):
        counts = [drawn @ (side & (labels == label)[:, None]).astype(np.float32) for side in sides]
        hits = [
            drawn @ (side & ((labels == label) & right)[:, None]).astype(np.float32)
            for side in sides
        ]
        inside, outside = (each.astype(np.float64) for each in counts)
        both = np.maximum(inside + outside, 1)
        # n1 n0 / n (h1 / n1 - h0 / n0), which is zero where one side is empty.
        above += (hits[0] * outside - hits[1] * inside) / both
        below += inside * outside / both
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
