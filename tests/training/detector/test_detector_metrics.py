"""Precision, recall and F1 against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core import OperatingPoint
from training.detector.matching import Detections, Matches
from training.detector.metrics import (
    THRESHOLDS,
    bootstrap_metrics,
    choose_operating_points,
    compute_curve,
    compute_false_alarm_rate,
    compute_metrics_at,
    compute_precision_recall_f1,
    f_beta,
)


def matches(rows, faces):
    photo, scores, right = (np.array(each) for each in zip(*rows, strict=True))
    return Matches(photo, scores.astype(float), right.astype(bool), np.array(faces), 0.5)


@pytest.fixture
def three_photos():
    """Five faces; at .5 three right, one wrong; at .8 two right, none wrong."""
    return matches(
        [(0, 0.9, True), (0, 0.6, False), (1, 0.8, True), (1, 0.5, True), (2, 0.3, False)],
        [2, 2, 1],
    )


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 0, 0), (1.0, 1.0, 1.0)),
        ((0, 0, 4), (1.0, 0.0, 0.0)),
        ((0, 3, 0), (0.0, 1.0, 0.0)),
        ((3, 1, 4), (0.75, 0.75, 0.75)),
        ((2, 0, 4), (1.0, 0.5, 2 / 3)),
    ],
)
def test_headline_figures_of_a_simple_case(counts, expected):
    result = compute_precision_recall_f1(*counts)
    assert [float(result[name]) for name in ("precision", "recall", "f1")] == pytest.approx(
        expected
    )


@pytest.mark.parametrize(
    ("threshold", "precision", "recall"),
    [(0.95, 1.0, 0.0), (0.8, 1.0, 0.4), (0.5, 0.75, 0.6), (0.1, 0.6, 0.6)],
)
def test_threshold_includes_equal_scores(three_photos, threshold, precision, recall):
    result = compute_metrics_at(three_photos, threshold)
    assert (result["precision"], result["recall"]) == pytest.approx((precision, recall))


def test_interval_contains_its_figure_and_is_wider_with_fewer_photos(three_photos):
    few = compute_metrics_at(three_photos, 0.5)
    rows = list(zip(three_photos.photo, three_photos.scores, three_photos.right, strict=True))
    many = compute_metrics_at(
        matches([(p + 3 * n, s, r) for n in range(20) for p, s, r in rows], [2, 2, 1] * 20), 0.5
    )
    for result in (few, many):
        low, high = result["f1_interval"]
        assert low <= result["f1"] <= high
    assert np.ptp(many["f1_interval"]) < np.ptp(few["f1_interval"])


def test_two_detectors_are_compared_on_the_same_draws():
    right, wrong, faces = np.array([1.0, 0, 2]), np.zeros(3), np.array([1, 1, 2])
    one, other = (bootstrap_metrics(right, wrong, faces)["recall"] for _ in range(2))
    assert (one == other).all()


def test_curve_has_every_threshold_once(three_photos):
    result = compute_curve(three_photos)
    assert result["threshold"] == sorted(set(THRESHOLDS.tolist()))
    assert result["recall"] == sorted(result["recall"], reverse=True)


def test_operating_points_weight_recall_by_half_one_and_two():
    measured = {
        "threshold": [0.1, 0.5, 0.9],
        "precision": [0.5, 0.7, 0.95],
        "recall": [0.9, 0.72, 0.5],
    }
    points = choose_operating_points(measured)
    assert points == {
        OperatingPoint.PRECISION: 0.9,
        OperatingPoint.BALANCED: 0.5,
        OperatingPoint.RECALL: 0.1,
    }


def test_highest_of_equally_good_thresholds_is_chosen():
    measured = {"threshold": [0.2, 0.4], "precision": [0.8, 0.8], "recall": [0.8, 0.8]}
    assert set(choose_operating_points(measured).values()) == {0.4}


def test_f_beta_of_zeros_is_zero():
    assert f_beta(np.zeros(1), np.zeros(1)).tolist() == [0.0]


def test_false_alarms_are_per_100_photos():
    empty = Detections(np.zeros((0, 4), np.float32), np.zeros(0))
    two = Detections(np.zeros((2, 4), np.float32), np.array([0.9, 0.4]))
    result = compute_false_alarm_rate([empty, two, empty, empty], 0.5)
    assert result["false_alarms_per_100_negatives"] == 25.0
    assert result["negatives"] == 4
    low, high = result["false_alarms_per_100_negatives_interval"]
    assert low <= 25.0 <= high
    assert compute_false_alarm_rate([], 0.5) == {}
