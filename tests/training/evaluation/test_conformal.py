"""Conformal sets contain the label as often as they promise."""

from __future__ import annotations

import numpy as np
import pytest

from core.calibration import softmax
from training.evaluation.conformal import ALPHA, FEWEST, measure_conformal_sets


def drawn(size, sharp=1.5, spoilt=1.0, seed=0):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(size, 7)) * sharp
    labels = np.array([generator.choice(7, p=row) for row in softmax(logits)])
    return softmax(logits * spoilt), labels


@pytest.mark.parametrize("spoilt", [1.0, 3.0, 0.3])
def test_sets_hold_the_label_even_if_the_probabilities_are_wrong(spoilt):
    result = measure_conformal_sets(*drawn(3000, spoilt=spoilt))
    assert result["coverage"] == pytest.approx(1 - ALPHA, abs=0.025)
    low, high = result["coverage_interval"]
    assert low < result["coverage"] < high


def test_sets_of_a_better_network_are_smaller():
    vague, sharp = (
        measure_conformal_sets(*drawn(2000, sharp=1)),
        measure_conformal_sets(*drawn(2000, sharp=5)),
    )
    assert sharp["mean_size"] < vague["mean_size"] - 1
    assert sharp["singletons"] > vague["singletons"]


def test_counts_agree_with_each_other():
    result = measure_conformal_sets(*drawn(600, sharp=4))
    sizes = np.array(result["sizes"])
    assert sizes.sum() == 600
    assert (sizes * np.arange(8)).sum() / 600 == pytest.approx(result["mean_size"])
    assert sizes[1] / 600 == result["singletons"]
    assert 0.8 < result["singleton_accuracy"] <= 1


def test_few_faces_or_a_single_emotion_have_no_sets():
    assert measure_conformal_sets(*drawn(FEWEST - 1)) is None
    probabilities, _ = drawn(FEWEST)
    assert measure_conformal_sets(probabilities, np.zeros(FEWEST, np.int64)) is None
