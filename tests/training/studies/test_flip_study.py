"""What the mirror image of a face is worth, and which faces need it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.calibration import Calibration
from core.classifiers.network import load_network
from core.labels import Reading
from core.weights import read_spec
from training.data.faces import read_faces
from training.data.splits import Split
from training.studies import flip
from training.studies.flip import LIMITS, compare_limits, find_unsure, study_flip

CALIBRATIONS = {
    Reading.PEOPLE: Calibration(crowd_share=1.0, certain_from=0.6),
    Reading.FER2013: Calibration(certain_from=0.6),
}


def answer(top, share):
    """Return one head's probabilities with ``share`` for emotion ``top``."""
    rows = np.full(7, (1 - share) / 6)
    rows[top] = share
    return rows


@pytest.fixture
def views():
    """A sure face, and one whose mirror image changes the answer of the head for votes."""
    plain = np.stack([[answer(0, 0.95)] * 2, [answer(1, 0.75), answer(2, 0.65)]])
    mirrored = np.stack([[answer(0, 0.85)] * 2, [answer(1, 0.75), answer(3, 0.9)]])
    return plain, mirrored


def test_faces_are_unsure_where_any_head_is(views):
    plain, _ = views
    assert find_unsure(plain, 0).tolist() == [False, False]
    assert find_unsure(plain, 0.6).tolist() == [False, False]
    assert find_unsure(plain, 0.7).tolist() == [False, True]
    assert find_unsure(plain, 1).tolist() == [True, True]
    assert find_unsure(plain[:, 0], 0.7).tolist() == [False, False]
    assert find_unsure(np.ones((1, 7)), 1).tolist() == [True]


def test_unsure_faces_get_the_answer_of_both_pictures_and_the_others_keep_theirs(views):
    targets = {
        Reading.PEOPLE: np.stack([answer(0, 1.0), answer(3, 1.0)]),
        Reading.FER2013: np.stack([answer(0, 1.0), answer(1, 1.0)]),
    }
    entries = compare_limits(*views, CALIBRATIONS, targets)
    assert [entry["limit"] for entry in entries] == list(LIMITS)
    by_limit = {entry["limit"]: entry for entry in entries}
    assert [by_limit[limit]["share"] for limit in (0, 0.6, 0.7, 1)] == [0, 0, 0.5, 1]
    never, some, always = (by_limit[limit]["readings"]["people"] for limit in (0, 0.7, 1))
    assert (never["agreement"], some["agreement"], always["agreement"]) == (0.5, 1, 1)
    assert (never["other_answers"], some["other_answers"]) == (0.5, 0)
    assert never["against_always"]["value"] == pytest.approx(-0.5)
    # Alone .65 is certain from .6 on; both pictures together say less than .6.
    assert (never["other_certain"], some["other_certain"]) == (0.5, 0)
    assert always["other_certain"] == 0
    label = by_limit[0]["readings"]["fer2013"]
    assert (label["agreement"], label["other_answers"]) == (1, 0)
    assert never["loss"] > some["loss"]


def test_faces_without_votes_do_not_count_for_people(views):
    wanted = np.stack([answer(0, 1.0), np.zeros(7)])
    entries = compare_limits(*views, CALIBRATIONS, {Reading.PEOPLE: wanted})
    assert {entry["readings"]["people"]["n"] for entry in entries} == {1}


def test_networks_answer_with_both_pictures_as_they_always_do(
    weights_copy, faces_dir, votes_csv, tmp_path, monkeypatch
):
    monkeypatch.setattr(flip, "member_names", lambda _: ("mobilenet_v2",))
    report = study_flip([faces_dir], votes_csv, tmp_path, weights_dir=weights_copy)
    assert json.loads((tmp_path / "flip.json").read_text()) == report
    faces = read_faces([faces_dir], Split.VALIDATION)
    ((name, entries),) = report["models"].items()
    spec = read_spec(name, weights_copy)
    rows = load_network(spec).logits(faces.images)
    answers = spec.calibrations[Reading.FER2013].probabilities(rows).argmax(axis=1)
    right = (answers == faces.labels).mean()
    assert entries[-1]["readings"]["fer2013"]["agreement"] == pytest.approx(right)
