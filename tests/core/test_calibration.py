"""From logits to probabilities that sum to one, and the "not sure" rule."""

from __future__ import annotations

import numpy as np
import pytest

from core import Emotion, InferenceError, Reading
from core.calibration import Calibration, softmax

ROW = np.array([[2.0, 0.0, -1.0, 4.0, 1.0, 0.5, 3.0]], np.float32)


def test_no_logits_give_no_scores():
    assert Calibration().scores(np.zeros((0, 7), np.float32), Reading.PEOPLE) == ()
    assert Calibration().probabilities(np.zeros((0, 7), np.float32)).shape == (0, 7)


def test_softmax_matches_the_definition():
    expected = np.exp(ROW) / np.exp(ROW).sum()
    assert softmax(ROW) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("temperature", "size"),
    [(1.0, 1e-30), (1e-30, 1e-30), (1e-30, 1e4), (0.01, 3e38), (1.0, 1.0), (5.0, 1e4), (1e9, 1.0)],
)
def test_rows_sum_to_one_for_any_size_of_logits(temperature, size):
    logits = np.array([[0, 1, -1, 0.5, 0.25, -0.5, 0.125]] * 3, np.float32) * np.float32(size)
    rows = Calibration(temperature).probabilities(logits)
    assert rows.dtype == np.float64
    assert rows.sum(axis=1) == pytest.approx(1.0)
    assert (rows[:, 1] >= rows.max(axis=1)).all()


def test_temperature_divides_the_logits():
    assert Calibration(2.0).probabilities(ROW) == pytest.approx(softmax(ROW / 2))
    hot, cold = (Calibration(t).probabilities(ROW).max() for t in (5.0, 0.2))
    assert hot < softmax(ROW).max() < cold


def test_temperature_never_changes_the_ranking():
    orders = [Calibration(t).scores(ROW, Reading.PEOPLE)[0].ranked() for t in (0.3, 1.0, 4.0)]
    assert len({tuple(emotion for emotion, _ in order) for order in orders}) == 1
    assert orders[0][0][0] is Emotion.HAPPY


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logit_that_is_not_a_number_is_refused(value):
    logits = np.repeat(ROW, 3, axis=0)
    logits[1, 2] = value
    with pytest.raises(InferenceError, match="not a number"):
        Calibration().scores(logits, Reading.PEOPLE)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_temperature_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature"):
        Calibration(temperature)


def test_smoothing_is_removed_before_the_temperature_is_applied():
    true = np.array([[0.9, 0.04, 0.03, 0.02, 0.006, 0.003, 0.001]])
    smoothed = np.log(0.86 * true + 0.14 / 7).astype(np.float32)
    assert Calibration(smoothing=0.14).probabilities(smoothed) == pytest.approx(true, abs=2e-3)
    expected = softmax(np.log(Calibration(smoothing=0.14).probabilities(smoothed)) / 2)
    assert Calibration(2.0, smoothing=0.14).probabilities(smoothed) == pytest.approx(expected)


@pytest.mark.parametrize("smoothing", [0.01, 0.3, 0.99])
def test_removing_smoothing_keeps_the_ranking_and_makes_no_probability_zero(smoothing):
    rows = Calibration(smoothing=smoothing).probabilities(ROW * 5)
    assert (rows.argsort(axis=1) == ROW.argsort(axis=1)).all()
    assert rows.min() > 0
    assert rows.sum() == pytest.approx(1)
    flat = Calibration(smoothing=smoothing).probabilities(np.zeros((1, 7), np.float32))
    assert flat == pytest.approx(np.full((1, 7), 1 / 7))


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, float("nan")])
def test_impossible_smoothing_is_refused(smoothing):
    with pytest.raises(ValueError, match="smoothing"):
        Calibration(smoothing=smoothing)


@pytest.mark.parametrize("level", [-0.1, 1.1, float("nan")])
def test_impossible_level_is_refused(level):
    with pytest.raises(ValueError, match="certain_from"):
        Calibration(certain_from=level)


def test_several_answers_are_certain_from_the_level_on():
    rows = np.array([[0.7, 0.3], [0.69, 0.31], [0.2, 0.8]])
    assert Calibration(certain_from=0.7).is_certain(rows).tolist() == [True, False, True]


def test_stored_level_applies_unless_another_is_given():
    top = softmax(ROW).max()
    calibration = Calibration(certain_from=top + 0.01)
    assert not calibration.scores(ROW, Reading.PEOPLE)[0].certain
    assert calibration.scores(ROW, Reading.PEOPLE, certain_from=top - 0.01)[0].certain
    assert calibration.scores(ROW, Reading.PEOPLE, certain_from=0.0)[0].certain


def test_two_heads_are_blended_by_their_geometric_mean():
    label, crowd = softmax(ROW), softmax(-ROW)
    heads = np.log(np.stack([label, crowd], axis=1)).astype(np.float32)
    mean = label**0.25 * crowd**0.75
    blended = Calibration(crowd_share=0.75).probabilities(heads)
    assert blended == pytest.approx(mean / mean.sum(axis=1, keepdims=True), abs=1e-6)
    assert Calibration(crowd_share=0).probabilities(heads) == pytest.approx(label, abs=1e-6)
    assert Calibration(crowd_share=1).probabilities(heads) == pytest.approx(crowd, abs=1e-6)


def test_temperature_softens_the_blend():
    heads = np.stack([ROW, -ROW], axis=1)
    mean = softmax((0.25 * ROW - 0.75 * ROW) / 2)
    assert Calibration(2.0, crowd_share=0.75).probabilities(heads) == pytest.approx(mean, abs=1e-6)


def test_single_head_answers_in_every_reading():
    assert Calibration(crowd_share=0.75).probabilities(ROW) == pytest.approx(softmax(ROW))


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_share_of_the_crowd_must_be_a_share(share):
    with pytest.raises(ValueError, match="crowd_share"):
        Calibration(crowd_share=share)


def test_scores_say_which_reading_they_are():
    (scores,) = Calibration().scores(ROW, Reading.FER2013)
    assert scores.reading is Reading.FER2013
