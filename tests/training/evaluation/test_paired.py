"""Two models on the same faces."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.intervals import resample_headlines
from training.evaluation.paired import compare_models, select_comparisons


def answers(tops, sure=0.7):
    probabilities = np.full((len(tops), 7), (1 - sure) / 6)
    probabilities[np.arange(len(tops)), tops] = sure
    return probabilities


def test_discordant_faces_are_counted_and_tested():
    labels = np.zeros(40, np.int64)
    first, second = np.zeros(40, np.int64), np.zeros(40, np.int64)
    second[:8] = 1  # only the first is right
    first[8:10] = 2  # only the second is right
    first[10:13] = second[10:13] = 3  # both are wrong
    result = compare_models(answers(first), answers(second), labels)
    assert (result.only_first_right, result.only_second_right) == (8, 2)
    # Twice the chance of at most 2 heads in 10 throws: 2 (1 + 10 + 45) / 1024.
    assert result.mcnemar_p == pytest.approx(112 / 1024)
    assert result.differences["accuracy"].value == pytest.approx(6 / 40)


def test_model_does_not_differ_from_itself():
    labels = np.random.default_rng(0).integers(0, 7, 50)
    same = answers(np.random.default_rng(1).integers(0, 7, 50))
    result = compare_models(same, same, labels)
    assert result.mcnemar_p == 1.0
    for difference in result.differences.values():
        assert difference.value == 0
        assert difference.interval == (0, 0)


def test_both_models_are_measured_on_the_same_draws():
    generator = np.random.default_rng(2)
    labels = generator.integers(0, 7, 200)
    tops = np.where(generator.random(200) < 0.6, labels, (labels + 1) % 7)
    # The same answers with other confidences, so that the faces have another order.
    sure = generator.uniform(0.4, 0.9, 200)
    other = np.full((200, 7), 0.0)
    other[:] = ((1 - sure) / 6)[:, None]
    other[np.arange(200), tops] = sure
    plain, varied = resample_headlines(answers(tops), labels), resample_headlines(other, labels)
    assert np.ptp(plain["accuracy"]) > 0.05
    assert (plain["accuracy"] == varied["accuracy"]).all()


def test_interval_of_a_difference_is_narrower_than_those_of_its_parts():
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 7, 1000)
    first = np.where(generator.random(1000) < 0.7, labels, (labels + 1) % 7)
    second = first.copy()
    second[:20] = (labels[:20] + 2) % 7
    result = compare_models(answers(first), answers(second), labels).differences["accuracy"]
    low, high = result.interval
    assert low <= result.value <= high
    # About ten of a thousand faces differ, so the interval is much narrower than that of one model.
    assert high - low < 0.02


def test_each_model_has_its_own_comparison_with_every_other():
    def pair(first, second, gap, p):
        gap = dict(zip(("value", "interval"), gap, strict=True))
        return {"first": first, "second": second, "differences": {"accuracy": gap}, "mcnemar_p": p}

    pairs = [pair("a", "b", (0.25, (0.125, 0.5)), 0.01), pair("b", "c", (0.0, (0.0, 0.25)), 1.0)]
    assert select_comparisons("a", pairs) == {
        "b": {"accuracy": {"value": 0.25, "interval": [0.125, 0.5]}, "mcnemar_p": 0.01}
    }
    assert select_comparisons("b", pairs) == {
        "a": {"accuracy": {"value": -0.25, "interval": [-0.5, -0.125]}, "mcnemar_p": 0.01},
        "c": {"accuracy": {"value": 0.0, "interval": [0.0, 0.25]}, "mcnemar_p": 1.0},
    }
    assert "-0.0" not in str(select_comparisons("c", pairs)["b"]["accuracy"]["value"])
    assert select_comparisons("d", pairs) == {}
