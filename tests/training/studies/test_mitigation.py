"""What helps without training again."""

from __future__ import annotations

import numpy as np
import pytest

from core.calibration import Calibration
from core.labels import EMOTIONS
from training.data.slices import Slicing
from training.studies.mitigation import (
    adjust_probabilities,
    compare_calibration_by_slice,
    compute_overconfidence,
    measure_logit_adjustment,
)


def draw_answers(size, sharper, seed=0):
    """(N, 7) logits whose softmax at ``sharper`` = 1 is the chance of each label, and labels."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, (size, 7))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([generator.choice(7, p=row) for row in chances])
    return (logits * np.asarray(sharper)[..., None]).astype(np.float32), labels


def test_separate_temperature_corrects_an_overconfident_group():
    member = np.arange(2000) % 2
    logits, labels = draw_answers(2000, np.where(member == 0, 1.0, 3.0))
    slicing = Slicing("half", "", ("true", "too sure"), member)
    (row,) = compare_calibration_by_slice(logits, labels, Calibration(), [slicing])
    worst = row["worst_overconfidence"]
    assert worst["one_temperature"] > 0.08
    assert worst["one_per_group"] < 0.05
    assert row["nll_difference"]["interval"][1] < 0


def test_similar_groups_gain_nothing_from_separate_temperatures():
    logits, labels = draw_answers(2000, np.ones(2000))
    slicing = Slicing("half", "", ("one", "other"), np.arange(2000) % 2)
    (row,) = compare_calibration_by_slice(logits, labels, Calibration(), [slicing])
    assert abs(row["nll_difference"]["value"]) < 0.01


def test_adjustment_raises_rare_emotions_and_strength_zero_changes_nothing():
    prior = np.array([0.1, 0.01, 0.1, 0.4, 0.19, 0.1, 0.1])
    row = np.array([[0.02, 0.3, 0.02, 0.6, 0.02, 0.02, 0.02]])
    np.testing.assert_allclose(adjust_probabilities(row, prior, 0.0), row)
    lifted = adjust_probabilities(row, prior, 1.0)
    # .3 / .01 against .6 / .4
    assert lifted[0, 1] / lifted[0, 3] == pytest.approx(20)
    assert lifted.sum() == pytest.approx(1)


def test_strength_is_chosen_and_measured_on_different_faces():
    generator = np.random.default_rng(0)
    counts = {str(emotion): 100 for emotion in EMOTIONS} | {"disgust": 5}
    shares = np.array([counts[str(each)] for each in EMOTIONS], float)
    labels = generator.choice(7, size=1500, p=shares / shares.sum())
    logits = generator.normal(0, 1, (1500, 7)) + 2 * np.eye(7)[labels] + np.log(shares)
    answers = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    result = measure_logit_adjustment(answers, labels, counts)
    assert [row["strength"] for row in result["strengths"]] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert result["strengths"][0]["lowest_recall"]["emotion"] == "disgust"
    recalls = [row["balanced_accuracy"] for row in result["strengths"]]
    assert recalls[-1] > recalls[0]
    chosen = result["chosen"]
    assert len(chosen["strengths"]) == 2
    assert chosen["macro_f1"] >= result["strengths"][0]["macro_f1"] - 0.02
    gap = chosen["differences"]["accuracy"]["value"]
    assert gap == pytest.approx(chosen["accuracy"] - result["strengths"][0]["accuracy"])


def test_overconfidence_is_mean_top_probability_minus_accuracy():
    answers = np.full((4, 7), 0.1 / 6)
    answers[:, 0] = 0.9
    assert compute_overconfidence(answers, np.array([0, 0, 1, 1])) == pytest.approx(0.4)
