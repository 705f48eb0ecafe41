"""Every figure against a case that was worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.evaluation.metrics import (
    compute_brier,
    compute_calibration_error,
    compute_headlines,
    compute_per_class,
    compute_reliability,
    compute_risk_coverage,
    count_confusions,
    find_bin_starts,
)


def rows_of(*tops, sure=0.7):
    """Return probabilities with the given top class: ``sure`` for it, the others share the rest."""
    rows = np.full((len(tops), 7), (1 - sure) / 6)
    rows[np.arange(len(tops)), tops] = sure
    return rows


# angry: two, one right; happy: three, all right; sad: one, answered as happy.
LABELS = np.array([0, 0, 3, 3, 3, 4])
ANSWERS = (0, 3, 3, 3, 3, 3)


def test_accuracy_counts_faces_and_balanced_accuracy_emotions():
    result = compute_headlines(rows_of(*ANSWERS), LABELS)
    assert result["accuracy"] == pytest.approx(4 / 6)
    assert result["balanced_accuracy"] == pytest.approx((1 / 2 + 1 + 0) / 3)


def test_macro_f1_is_the_mean_over_emotions_that_occur():
    # angry: precision 1, recall 1/2; happy: precision 3/5, recall 1; sad: 0.
    expected = (2 / 3 + 3 / 4 + 0) / 3
    assert compute_headlines(rows_of(*ANSWERS), LABELS)["macro_f1"] == pytest.approx(expected)


def test_answer_that_is_never_a_label_counts_as_one_error():
    result = compute_headlines(rows_of(5, 0), np.array([0, 0]))
    assert result["balanced_accuracy"] == pytest.approx(1 / 2)
    assert result["macro_f1"] == pytest.approx(2 / 3)


def test_negative_log_likelihood_is_the_mean_surprise():
    result = compute_headlines(rows_of(0, 1), np.array([0, 0]))
    assert result["nll"] == pytest.approx(-(math.log(0.7) + math.log(0.05)) / 2)


def test_brier_score_is_the_squared_distance_to_the_label():
    right = 0.3**2 + 6 * 0.05**2
    wrong = 0.7**2 + 0.95**2 + 5 * 0.05**2
    assert compute_brier(rows_of(0, 1), np.array([0, 0])) == pytest.approx((right + wrong) / 2)
    assert compute_brier(rows_of(0, sure=1.0), np.array([0])) == 0
    assert compute_brier(rows_of(0, sure=1.0), np.array([1])) == 2


def test_every_emotion_has_precision_recall_f1_and_support():
    result = compute_per_class(rows_of(*ANSWERS), LABELS)
    assert list(result)[:2] == ["angry", "disgust"]
    assert result["angry"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "support": 2,
    }
    assert result["happy"]["precision"] == pytest.approx(3 / 5)
    assert result["neutral"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_confusion_has_labels_in_rows_and_answers_in_columns():
    matrix = count_confusions(rows_of(*ANSWERS), LABELS)
    assert matrix[0] == [1, 0, 0, 1, 0, 0, 0]
    assert matrix[3] == [0, 0, 0, 3, 0, 0, 0]
    assert matrix[4] == [0, 0, 0, 1, 0, 0, 0]
    assert sum(map(sum, matrix)) == 6


@pytest.mark.parametrize(
    ("size", "bins", "starts"),
    [(6, 3, [0, 2, 4]), (7, 3, [0, 2, 4]), (2, 3, [0, 1]), (1, 15, [0]), (15, 15, list(range(15)))],
)
def test_bins_have_equal_mass_and_none_is_empty(size, bins, starts):
    assert find_bin_starts(size, bins).tolist() == starts


def test_calibration_error_is_the_mean_gap_of_equal_bins():
    rows = np.concatenate([rows_of(0, 0, sure=0.5), rows_of(0, 0, sure=0.9)])
    labels = np.array([0, 1, 0, 1])
    # Two bins: probability .5, accuracy 1/2; probability .9, accuracy 1/2.
    assert compute_calibration_error(rows, labels, bins=2) == pytest.approx((0 + 0.4) / 2)
    # The order of the faces does not matter.
    assert compute_calibration_error(rows[::-1], labels[::-1], bins=2) == pytest.approx(0.2)
    parts = compute_reliability(rows, labels, bins=2)
    assert parts == [
        {"confidence": pytest.approx(0.5), "accuracy": 0.5, "n": 2},
        {"confidence": pytest.approx(0.9), "accuracy": 0.5, "n": 2},
    ]


def test_overconfidence_and_underconfidence_do_not_cancel_out():
    rows = np.concatenate([rows_of(0, 0, sure=0.4), rows_of(0, 0, sure=0.8)])
    labels = np.array([0, 0, 1, 1])
    assert compute_calibration_error(rows, labels, bins=2) == pytest.approx((0.6 + 0.8) / 2)


def test_risk_coverage_answers_the_most_certain_first():
    rows = np.concatenate([rows_of(0, sure=sure) for sure in (0.3, 0.9, 0.5, 0.7)])
    labels = np.array([1, 0, 0, 1])
    # From the most certain: right, wrong, right, wrong; risks 0, 1/2, 1/3, 2/4.
    result = compute_risk_coverage(rows, labels)
    assert result["aurc"] == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    # Of four faces 90 and 80 % need all, 70 % three of them.
    assert result["accuracy_at"] == {
        "0.9": pytest.approx(1 / 2),
        "0.8": pytest.approx(1 / 2),
        "0.7": pytest.approx(2 / 3),
    }
    assert result["coverage"][-1] == 1.0
    assert result["accuracy"][4] == 1.0
    assert result["accuracy"][-1] == pytest.approx(1 / 2)


def test_share_of_coverage_is_not_rounded_up_by_floating_point():
    # 0.55 * 100 is 55.00000000000001.
    rows = np.concatenate([rows_of(0, sure=0.9 - step / 1000) for step in range(100)])
    result = compute_risk_coverage(rows, np.array([0] * 55 + [1] * 45))
    assert dict(zip(result["coverage"], result["accuracy"], strict=True))[0.55] == 1.0


def test_single_face_has_figures():
    result = compute_headlines(rows_of(2), np.array([2]))
    assert (result["accuracy"], result["macro_f1"]) == (1.0, 1.0)
    assert result["ece"] == pytest.approx(0.3)
    assert compute_risk_coverage(rows_of(2), np.array([2]))["aurc"] == 0
