"""Agreement with the people who voted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.data.votes import COLUMNS, Votes
from training.evaluation.crowd import (
    blend_readings,
    compute_cross_entropy,
    compute_share_error,
    measure_crowd_agreement,
    score_against_crowd,
)
from training.evaluation.metrics import compute_calibration_error, encode_labels


def votes_of(*rows):
    return Votes(np.array(rows, dtype=np.float32).reshape(-1, len(COLUMNS)))


def votes(**counts):
    return [counts.get(column, 0) for column in COLUMNS]


def rows_of(*tops):
    rows = np.full((len(tops), 7), 0.05)
    rows[np.arange(len(tops)), tops] = 0.7
    return rows


def test_no_votes_give_no_figures():
    assert measure_crowd_agreement(rows_of(0), np.array([0]), votes_of(votes(NF=10))) is None


def test_errors_that_match_the_crowd_are_counted():
    crowd = votes_of(
        votes(happiness=9, neutral=1),  # label neutral, answer happy: the crowd's error too
        votes(anger=9, disgust=1),  # label angry, answer happy: an error of its own
        votes(sadness=6, neutral=4),  # label and answer sad
        votes(unknown=10),  # nobody named anything: left out
    )
    result = measure_crowd_agreement(rows_of(3, 3, 4, 0), np.array([6, 0, 4, 5]), crowd)
    assert result["n"] == 3
    assert result["errors"] == 2
    assert result["errors_matching_plurality"] == pytest.approx(1 / 2)
    assert result["answers_matching_plurality"] == pytest.approx(2 / 3)
    assert result["labels_matching_plurality"] == pytest.approx(2 / 3)


def test_tied_votes_match_both_and_contempt_can_win():
    crowd = votes_of(votes(anger=5, disgust=5), votes(contempt=6, neutral=4))
    result = measure_crowd_agreement(rows_of(1, 6), np.array([0, 6]), crowd)
    assert result["answers_matching_plurality"] == pytest.approx(1 / 2)
    assert result["errors_matching_plurality"] == 1.0


def test_divergence_uses_the_votes_for_the_seven_emotions():
    crowd = votes_of(votes(anger=3, disgust=1, contempt=4))
    expected = 0.75 * math.log(0.75 / 0.7) + 0.25 * math.log(0.25 / 0.05)
    result = measure_crowd_agreement(rows_of(0), np.array([0]), crowd)
    assert result["kl"] == pytest.approx(expected)
    assert result["errors_matching_plurality"] is None


def test_votes_for_contempt_only_have_no_divergence():
    assert (
        measure_crowd_agreement(rows_of(0), np.array([0]), votes_of(votes(contempt=9)))["kl"]
        is None
    )


def test_same_distribution_has_zero_divergence():
    crowd = votes_of([1, 1, 1, 1, 1, 1, 1, 0, 0, 0])
    result = measure_crowd_agreement(np.full((1, 7), 1 / 7), np.array([0]), crowd)
    assert result["kl"] == pytest.approx(0, abs=1e-12)


def test_answer_is_compared_with_the_shares_of_votes():
    shares = np.zeros((3, 7), np.float32)
    shares[0, [3, 4, 6]] = 0.5, 0.25, 0.25
    shares[1, [3, 4]] = 0.5, 0.5
    shares[2, [2, 3, 6]] = 0.25, 0.375, 0.375
    scores = score_against_crowd(rows_of(6, 4, 3), shares)
    # Where two emotions have the most votes, both are a first choice.
    assert scores["agreement"].tolist() == [0, 1, 1]
    assert scores["voters"].tolist() == [0.25, 0.5, 0.375]
    half, quarter = np.log(0.5 / np.array([0.05, 0.7])), np.log(0.25 / np.array([0.05, 0.7]))
    first = 0.5 * half[0] + 0.25 * quarter[0] + 0.25 * quarter[1]
    second = 0.5 * half[0] + 0.5 * half[1]
    np.testing.assert_allclose(scores["kl"][:2], [first, second])


def test_blend_is_the_weighted_geometric_mean_of_both_answers():
    labels = np.full((1, 7), 0.1)
    labels[0, 3] = 0.4
    crowd = labels[:, ::-1]
    np.testing.assert_allclose(blend_readings(labels, crowd, 0), labels)
    np.testing.assert_allclose(blend_readings(labels, crowd, 1), crowd)
    crowd = np.array([[0.64, 0.06, 0.06, 0.06, 0.06, 0.06, 0.06]])
    expected = labels**0.25 * crowd**0.75
    np.testing.assert_allclose(blend_readings(labels, crowd, 0.75), expected / expected.sum())


def test_cross_entropy_of_labels_is_their_surprise():
    labels = np.array([0, 1])
    rows = rows_of(0, 0)
    expected = -(math.log(0.7) + math.log(0.05)) / 2
    assert compute_cross_entropy(rows, encode_labels(labels)) == pytest.approx(expected)
    weights = np.array([3.0, 1.0])
    expected = -(3 * math.log(0.7) + math.log(0.05)) / 4
    assert compute_cross_entropy(rows, encode_labels(labels), weights) == pytest.approx(expected)


def test_share_error_is_the_gap_to_the_share_of_voters():
    shares = np.zeros((30, 7))
    shares[:, 0], shares[:, 1] = 0.6, 0.4
    assert compute_share_error(rows_of(*[0] * 30), shares) == pytest.approx(0.1)


def test_share_error_of_labels_is_the_calibration_error():
    generator = np.random.default_rng(0)
    rows = generator.dirichlet(np.ones(7), size=200)
    labels = generator.integers(0, 7, 200)
    found = compute_share_error(rows, encode_labels(labels))
    assert found == pytest.approx(compute_calibration_error(rows, labels))
