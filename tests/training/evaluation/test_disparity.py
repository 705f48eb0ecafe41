"""Gaps between groups, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.disparity import adjust_p_values, compute_accuracy_gap


def faces(*cells):
    """Arrays right, inside and labels from (label, inside, right, how many)."""
    rows = [cell[:3] for cell in cells for _ in range(cell[3])]
    labels, inside, right = (np.array(column) for column in zip(*rows, strict=True))
    return right.astype(bool), inside.astype(bool), labels.astype(np.int64)


def test_group_with_more_of_the_hard_emotions_has_no_gap():
    # Seven of ten are right of the first label, three of ten of the second, inside and outside.
    cells = [(0, 1, 1, 7), (0, 1, 0, 3), (1, 1, 1, 27), (1, 1, 0, 63)]
    cells += [(0, 0, 1, 63), (0, 0, 0, 27), (1, 0, 1, 3), (1, 0, 0, 7)]
    right, inside, labels = faces(*cells)
    assert right[inside].mean() == 0.34
    assert right[~inside].mean() == 0.66
    gap = compute_accuracy_gap(right, inside, labels)
    assert gap.value == pytest.approx(0)
    assert gap.p == pytest.approx(1)


def test_gap_of_one_label_is_the_difference_of_two_shares():
    right, inside, labels = faces((3, 1, 1, 40), (3, 1, 0, 60), (3, 0, 1, 60), (3, 0, 0, 40))
    gap = compute_accuracy_gap(right, inside, labels)
    assert gap.value == pytest.approx(-0.2)
    # sqrt(.24 / 100 + .24 / 100) = .0693, times 1.96
    assert gap.interval == pytest.approx((-0.3358, -0.0642), abs=1e-4)
    # (40 - 50)^2 / (100 * 100 * 100 * 100 / (200^2 * 199)) = 7.96
    assert gap.p == pytest.approx(0.00478, abs=1e-5)


def test_labels_are_weighted_by_the_faces_that_can_be_compared():
    cells = [(0, 1, 1, 10), (0, 1, 0, 10), (0, 0, 1, 20), (1, 1, 0, 5), (1, 0, 1, 20)]
    gap = compute_accuracy_gap(*faces(*cells))
    # 20 * 20 / 40 = 10 times -1/2, and 5 * 20 / 25 = 4 times -1
    assert gap.value == pytest.approx((10 * -0.5 + 4 * -1) / 14)


def test_group_whose_labels_no_other_face_has_cannot_be_compared():
    assert compute_accuracy_gap(*faces((0, 1, 1, 5), (1, 0, 1, 5))) is None


def test_p_values_are_adjusted_for_the_number_of_comparisons():
    assert adjust_p_values([]) == []
    assert adjust_p_values([0.01, 0.04, 0.03, 0.5]) == pytest.approx(
        [0.04, 0.16 / 3, 0.16 / 3, 0.5]
    )
