"""Figures of the reading of people."""

from __future__ import annotations

import numpy as np
import pytest

from core.calibration import Calibration
from training.data.votes import COLUMNS, Votes
from training.evaluation.people_metrics import compute_people_metrics


def votes_of(*rows):
    counts = [[row.get(column, 0) for column in COLUMNS] for row in rows]
    return Votes(np.array(counts, np.float32))


def heads_of(*crowd):
    """Return logits whose label head always says angry and whose crowd head says ``crowd``."""
    rows = np.zeros((len(crowd), 2, 7), np.float32)
    rows[:, 0, 0] = 3
    rows[np.arange(len(crowd)), 1, crowd] = 3
    return rows


VOTES = votes_of(
    {"happiness": 9, "neutral": 1},
    {"sadness": 6, "neutral": 4},
    {"neutral": 2, "unknown": 8},
    {"contempt": 7, "neutral": 3},
)


def test_faces_with_few_votes_do_not_count():
    metrics = compute_people_metrics(heads_of(3, 6, 6, 6), Calibration(crowd_share=1), VOTES)
    assert metrics["n"] == 2
    assert metrics["agreement"] == pytest.approx(1 / 2)
    assert metrics["voters"] == pytest.approx((0.9 + 0.4) / 2)
    low, high = metrics["voters_interval"]
    assert low <= metrics["voters"] <= high
    assert metrics["per_class"]["sad"] == {"n": 1, "recall": 0, "precision": None}
    assert metrics["per_class"]["neutral"] == {"n": 0, "recall": None, "precision": 0}


def test_crowd_head_is_also_measured_alone():
    metrics = compute_people_metrics(heads_of(3, 4, 6, 6), Calibration(crowd_share=0), VOTES)
    assert metrics["agreement"] == 0
    assert metrics["crowd_head"]["agreement"] == 1


def test_contempt_counts_in_the_majority_of_eight():
    metrics = compute_people_metrics(heads_of(3, 4, 6, 6), Calibration(crowd_share=1), VOTES)
    assert metrics["majority_of_eight"]["n"] == 3
    assert metrics["majority_of_eight"]["accuracy"] == pytest.approx(2 / 3)


def test_certain_answers_are_compared_with_the_first_choice():
    calibration = Calibration(crowd_share=1, certain_from=0.5)
    metrics = compute_people_metrics(heads_of(3, 6, 6, 6), calibration, VOTES)
    assert metrics["certain"] == {"from": 0.5, "coverage": 1, "accuracy": 0.5}


def test_without_enough_votes_there_are_no_figures():
    assert compute_people_metrics(heads_of(3), Calibration(), votes_of({"neutral": 4})) is None
