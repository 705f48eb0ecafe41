"""Networks compared with their combinations: what is fitted is measured on other faces."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import DataError
from training.evaluation.metrics import encode_labels
from training.studies import ensemble


def opinions(size=1200, seed=0, noises=(0.5, 1.5, 1.5)):
    """Return answers of networks with independent errors, and one-hot labels."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(size, 7)) * 2
    chances = np.exp(truth) / np.exp(truth).sum(axis=1, keepdims=True)
    labels = np.array([generator.choice(7, p=row) for row in chances])
    answers = {}
    for name, noise in zip("abc", noises, strict=True):
        rows = np.exp(truth + noise * generator.normal(size=truth.shape))
        answers[name] = rows / rows.sum(axis=1, keepdims=True)
    return answers, encode_labels(labels)


def find(figures, members, combined):
    [way] = [
        each
        for each in figures["ways"]
        if (each["members"], each["combined"]) == (list(members), combined)
    ]
    return way


def test_every_network_and_combination_is_compared_with_the_best_network():
    answers, targets = opinions()
    figures = ensemble._compare(answers, targets)
    assert (figures["n"], figures["best"]) == (1200, "a")
    assert len(figures["ways"]) == 3 + 3 * 4
    alone = find(figures, "a", "alone")
    right = answers["a"].argmax(axis=1) == targets.argmax(axis=1)
    assert alone["agreement"] == pytest.approx(right.mean())
    assert (alone["against_best"]["value"], alone["p"]) == (0, 1)
    other = find(figures, "b", "alone")
    assert other["against_best"]["value"] == pytest.approx(other["agreement"] - alone["agreement"])
    assert other["p"] < 0.001
    # A network that is far better should count more than the others.
    equal, fitted = find(figures, "abc", "equal"), find(figures, "abc", "fitted")
    assert fitted["loss"] < equal["loss"]


@pytest.mark.parametrize("combined", ["fitted", "stacked"])
def test_nothing_is_fitted_to_the_face_that_it_answers(combined):
    answers, targets = opinions(size=200)
    stack = np.stack(list(answers.values()))
    combine = ensemble._COMBINATIONS[combined]
    plain = ensemble._answer_out_of_fold(combine, stack, targets)
    changed = targets.copy()
    changed[7] = np.roll(targets[7], 1)
    again = ensemble._answer_out_of_fold(combine, stack, changed)
    np.testing.assert_array_equal(again[7], plain[7])
    assert (again != plain).any()


def test_shares_of_votes_count_as_that_many_labels():
    answers, targets = opinions(size=300)
    votes = 0.7 * targets + 0.3 * np.roll(targets, 1, axis=1)
    stack = np.stack(list(answers.values()))
    labels = np.concatenate([targets] * 7 + [np.roll(targets, 1, axis=1)] * 3)
    by_votes = ensemble._stack(stack, 10 * votes, stack)
    by_labels = ensemble._stack(np.concatenate([stack] * 10, axis=1), labels, stack)
    np.testing.assert_allclose(by_votes, by_labels, atol=1e-3)


def test_emotion_that_nobody_named_gets_no_probability_from_the_stacking():
    answers, targets = opinions(size=300)
    stack = np.stack(list(answers.values()))
    known = targets[:, 4] == 0
    combined = ensemble._stack(stack[:, known], targets[known], stack)
    assert (combined[:, 4] == 0).all()
    np.testing.assert_allclose(combined.sum(axis=1), 1)


def test_faces_without_votes_are_refused(weights_copy, faces_dir, votes_csv, tmp_path, monkeypatch):
    monkeypatch.setattr(ensemble, "member_names", lambda _: ("mobilenet_v2",))
    other = tmp_path / "other.csv"
    other.write_text(votes_csv.read_text().replace("PublicTest_", "Elsewhere_"))
    with pytest.raises(DataError, match="No face has 5 votes"):
        ensemble.study_ensemble([faces_dir], other, tmp_path, weights_dir=weights_copy)


def test_file_holds_both_readings(weights_copy, faces_dir, votes_csv, tmp_path, monkeypatch):
    monkeypatch.setattr(ensemble, "member_names", lambda _: ("mobilenet_v2",))
    report = ensemble.study_ensemble([faces_dir], votes_csv, tmp_path, weights_dir=weights_copy)
    assert json.loads((tmp_path / "ensemble.json").read_text()) == report
    assert set(report["readings"]) == {"people", "fer2013"}
    assert list(report["weights_sha256"]) == ["mobilenet_v2"]
