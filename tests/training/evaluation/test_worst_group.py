"""The group with the worst answers, and whether its gap gets smaller."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.slices import Slicing
from training.evaluation.disparity import compute_accuracy_gap
from training.evaluation.worst_group import (
    _compute_gaps,
    _list_groups,
    compute_worst_gap_difference,
    find_worst_group,
)

SIZE = 3000


@pytest.fixture
def faces():
    """Labels and two slicings; the third group of the second one has few faces."""
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 7, SIZE)
    turned = generator.integers(0, 2, SIZE)
    light = np.where(np.arange(SIZE) < 20, 2, generator.integers(-1, 2, SIZE))
    return labels, [
        Slicing("turned", "", ("no", "yes"), turned),
        Slicing("light", "", ("dark", "bright", "rare"), light),
    ]


def answered(labels, slicings, turned, rare=0.7, seed=0):
    """Return which answers are right: turned faces with the given probability, others with .7."""
    chance = np.where(slicings[0].member == 1, turned, 0.7)
    chance = np.where(slicings[1].member == 2, rare, chance)
    return np.random.default_rng(seed).random(SIZE) < chance


def test_worst_group_is_the_one_furthest_behind_others_of_its_label(faces):
    labels, slicings = faces
    right = answered(labels, slicings, turned=0.5, rare=0.0)
    result = find_worst_group(right, labels, slicings, least=100)
    assert (result.slicing, result.group) == ("turned", "yes")
    inside = slicings[0].member == 1
    assert result.n == inside.sum()
    assert result.accuracy == pytest.approx(right[inside].mean())
    assert result.gap == compute_accuracy_gap(right, inside, labels)
    assert result.gap.value == pytest.approx(-0.2, abs=0.05)
    # Twenty faces with wrong answers are the worst group if groups may be so small.
    assert find_worst_group(right, labels, slicings, least=20).group == "rare"
    assert find_worst_group(right, labels, slicings, least=SIZE) is None


def test_gaps_without_resampling_are_the_measured_ones(faces):
    labels, slicings = faces
    right = answered(labels, slicings, turned=0.5)
    groups = _list_groups(slicings, 20)
    sides = [
        np.stack([slicing.member == index for slicing, index in groups], axis=1),
        np.stack(
            [(slicing.member >= 0) & (slicing.member != index) for slicing, index in groups], axis=1
        ),
    ]
    (drawn,) = _compute_gaps(np.ones((1, SIZE), np.float32), right, labels, sides)
    for value, (slicing, index) in zip(drawn, groups, strict=True):
        known = slicing.member >= 0
        gap = compute_accuracy_gap(right[known], (slicing.member == index)[known], labels[known])
        assert value == pytest.approx(gap.value, abs=1e-6)


def test_closed_gap_has_an_interval_above_zero(faces):
    labels, slicings = faces
    behind = answered(labels, slicings, turned=0.4)
    level = answered(labels, slicings, turned=0.7)
    closed = compute_worst_gap_difference(level, behind, labels, slicings, least=100)
    worst = [find_worst_group(each, labels, slicings, 100).gap.value for each in (level, behind)]
    assert closed.value == pytest.approx(worst[0] - worst[1], abs=1e-6)
    assert 0.1 < closed.interval[0] < closed.value < closed.interval[1]
    widened = compute_worst_gap_difference(behind, level, labels, slicings, least=100)
    assert widened.value == pytest.approx(-closed.value)
    assert widened.interval == pytest.approx((-closed.interval[1], -closed.interval[0]))
    same = compute_worst_gap_difference(behind, behind, labels, slicings, least=100)
    assert (same.value, *same.interval) == (0.0, 0.0, 0.0)
