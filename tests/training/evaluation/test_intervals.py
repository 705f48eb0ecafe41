"""Bootstrap intervals: the same figures as without, resampled."""

from __future__ import annotations

import numpy as np
import pytest

from core.calibration import softmax
from training.evaluation.intervals import _SortedFaces, bootstrap_intervals
from training.evaluation.metrics import compute_headlines


def drawn(size, seed=0, spoilt=1.0):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(size, 7)) * 1.5
    labels = np.array([generator.choice(7, p=row) for row in softmax(logits)])
    return softmax(logits * spoilt), labels


def test_every_resample_has_the_figures_of_its_faces():
    probabilities, labels = drawn(60)
    draws = np.random.default_rng(1).integers(0, 60, size=(5, 60))
    result = _SortedFaces(probabilities, labels).compute_figures(draws)
    for row, draw in enumerate(draws):
        for name, value in compute_headlines(probabilities[draw], labels[draw]).items():
            assert result[name][row] == pytest.approx(value), name


def test_interval_of_accuracy_is_that_of_a_binomial_share():
    probabilities, labels = drawn(2000)
    accuracy = compute_headlines(probabilities, labels)["accuracy"]
    half = 1.96 * np.sqrt(accuracy * (1 - accuracy) / 2000)
    low, high = bootstrap_intervals(probabilities, labels)["accuracy"]
    assert low == pytest.approx(accuracy - half, abs=0.003)
    assert high == pytest.approx(accuracy + half, abs=0.003)


def test_every_interval_contains_its_figure():
    probabilities, labels = drawn(300, spoilt=2.0)
    spans = bootstrap_intervals(probabilities, labels)
    for name, value in compute_headlines(probabilities, labels).items():
        low, high = spans[name]
        assert low <= value <= high, name
        assert low < high, name


def test_interval_of_the_calibration_error_contains_it():
    # Without the correction it would be above: noise raises a sum of absolute gaps.
    for seed in range(3):
        probabilities, labels = drawn(2000, seed=seed)
        value = compute_headlines(probabilities, labels)["ece"]
        low, high = bootstrap_intervals(probabilities, labels)["ece"]
        assert (low + high) / 2 == pytest.approx(value, abs=0.1 * (high - low))


def test_interval_of_a_well_calibrated_network_does_not_fall_below_zero():
    low, _ = bootstrap_intervals(*drawn(200))["ece"]
    assert low >= 0


def test_seed_decides_the_interval():
    probabilities, labels = drawn(100)
    first = bootstrap_intervals(probabilities, labels, resamples=150, seed=4)
    assert bootstrap_intervals(probabilities, labels, resamples=150, seed=4) == first
    assert bootstrap_intervals(probabilities, labels, resamples=150, seed=5) != first


def test_interval_has_no_width_if_all_answers_are_right():
    probabilities = np.eye(7)[[0, 1, 2, 0, 1, 2]] * 0.93 + 0.01
    spans = bootstrap_intervals(probabilities, np.array([0, 1, 2, 0, 1, 2]), resamples=50)
    assert spans["accuracy"] == (1.0, 1.0)
    assert spans["macro_f1"] == (1.0, 1.0)
