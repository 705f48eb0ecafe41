"""Crowd votes, and what they say about labels."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataError
from training.data.votes import COLUMNS, Votes, fit_label_prior, fold_contempt, read_votes


def make_votes(*rows):
    return Votes(np.array(rows, dtype=np.float32).reshape(-1, len(COLUMNS)))


def test_votes_are_read_by_name_in_our_own_order(tmp_path):
    path = tmp_path / "votes.csv"
    head = "image,usage,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    path.write_text(f"{head}\na.png,Training,1,2,3,4,5,6,7,8,9,10\n")
    votes = read_votes(path, ["b.png", "a.png"])
    assert votes.counts.tolist() == [[0] * 10, [5, 6, 7, 2, 4, 3, 1, 8, 9, 10]]
    assert votes.known.tolist() == [False, True]


@pytest.mark.parametrize("text", ["", "image,anger\na.png,1\n", "\0", "é"])
def test_error_about_another_file_names_the_columns(tmp_path, text):
    path = tmp_path / "votes.csv"
    path.write_text(text)
    with pytest.raises(DataError) as raised:
        read_votes(path, ["a.png"])
    assert "happiness" in raised.value.hint


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError):
        read_votes(tmp_path / "absent.csv", [])


def test_distribution_leaves_out_votes_for_unknown_and_not_a_face():
    votes = make_votes([2, 0, 0, 0, 0, 0, 1, 1, 5, 5], [0] * 8 + [10, 0])
    assert votes.distribution().tolist() == [[0.5, 0, 0, 0, 0, 0, 0.25, 0.25], [0] * 8]
    assert votes.known.tolist() == [True, False]


def test_shares_count_the_seven_emotions_where_enough_people_named_one():
    votes = make_votes([2, 0, 0, 0, 0, 0, 1, 7, 0, 0], [2, 0, 0, 0, 0, 0, 0, 8, 0, 0])
    shares = votes.shares(minimum=3)
    np.testing.assert_allclose(shares, [[2 / 3, 0, 0, 0, 0, 0, 1 / 3], [0] * 7])


def test_prior_learns_which_label_goes_with_which_votes():
    # Where the crowd sees sadness (column 4), three labels of four are sad and one is neutral.
    sad, happy = [0, 0, 0, 0, 10, 0, 0, 0, 0, 0], [0, 0, 0, 10, 0, 0, 0, 0, 0, 0]
    rows, labels = [sad] * 40 + [happy] * 40, [4, 4, 4, 6] * 10 + [3] * 40
    prior = fit_label_prior(make_votes(*rows), np.array(labels))
    assert prior.shape == (80, 7)
    np.testing.assert_allclose(prior.sum(axis=1), 1, atol=1e-5)
    assert prior[0, 4] == pytest.approx(0.75, abs=0.05)
    assert prior[0, 6] == pytest.approx(0.25, abs=0.05)
    assert prior[-1, 3] > 0.9


def test_prior_of_a_face_without_votes_is_its_label():
    known = [[0, 0, 0, 0, 10, 0, 0, 0, 0, 0], [0, 0, 0, 10, 0, 0, 0, 0, 0, 0]] * 10
    labels = np.array([4, 3] * 10 + [2])
    prior = fit_label_prior(make_votes(*known, [0] * 10), labels)
    assert prior[-1].tolist() == [0, 0, 1, 0, 0, 0, 0]


def test_too_few_votes_leave_the_labels():
    prior = fit_label_prior(make_votes([0] * 10, [0] * 10), np.array([6, 0]))
    np.testing.assert_array_equal(prior, np.eye(7, dtype=np.float32)[[6, 0]])


def test_contempt_can_count_for_disgust():
    votes = Votes(np.array([[0, 2, 0, 0, 0, 0, 4, 4, 0, 0]], np.float32))
    assert fold_contempt(votes, 0) is votes
    assert fold_contempt(votes, 1).shares()[0, [1, 6]].tolist() == pytest.approx([0.6, 0.4])
    assert fold_contempt(votes, 0.5).shares()[0, [1, 6]].tolist() == pytest.approx([0.5, 0.5])


def test_doubt_is_the_share_of_people_who_could_not_tell():
    votes = Votes(np.array([[3, 0, 0, 0, 0, 0, 3, 0, 1, 3], [0] * 10], np.float32))
    assert votes.doubt.tolist() == pytest.approx([0.4, 0])
