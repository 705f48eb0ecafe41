"""How far the worst group of faces is behind, and whether training closes the gap."""

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
    """The group with the largest accuracy gap to other faces of the same label."""

    slicing: str
    group: str
    n: int
    accuracy: float
    gap: Gap
    """Its interval does not account for picking the worst of many."""


def find_worst_group(
    right: NDArray[np.bool_], labels: Labels, slicings: Sequence[Slicing], least: int
) -> WorstGroup | None:
    """Return the worst of the groups with at least ``least`` faces; None if there is none."""
    found = []
    for slicing, index in _list_groups(slicings, least):
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
    """Return how much smaller the worst gap is for the (N,) ``first`` than the ``second`` answers.

    True means a right answer. The worst groups of both may differ, and every draw of the paired
    bootstrap has its own worst groups.
    """
    size = len(labels)
    draws = np.random.default_rng(0).integers(0, size, size=(RESAMPLES, size))
    drawn = np.stack([np.bincount(row, minlength=size) for row in draws]).astype(np.float32)
    # The first row is the measurement itself: every face once.
    drawn = np.concatenate([np.ones((1, size), np.float32), drawn])
    groups = _list_groups(slicings, least)
    sides = [
        np.stack([slicing.member == index for slicing, index in groups], axis=1),
        np.stack(
            [(slicing.member >= 0) & (slicing.member != index) for slicing, index in groups], 1
        ),
    ]
    worst = [_compute_gaps(drawn, right, labels, sides).min(axis=1) for right in (first, second)]
    closed = worst[0] - worst[1]
    return Difference(float(closed[0]), percentile_interval(closed[1:]))


def _list_groups(slicings: Sequence[Slicing], least: int) -> list[tuple[Slicing, int]]:
    return [
        (slicing, index)
        for slicing in slicings
        for index in range(len(slicing.groups))
        if (slicing.member == index).sum() >= least
    ]


def _compute_gaps(
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
