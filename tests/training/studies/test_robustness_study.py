"""The study of groups and of faces made worse, on drawn faces and a tiny network."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.calibration import Calibration
from training.data.slices import Slicing
from training.studies import robustness as study
from training.studies.degradations import Degradation
from training.studies.robustness import study_robustness


@pytest.fixture
def groups_csv(faces_dir, tmp_path):
    files = sorted((faces_dir / "validation").rglob("*.png"))
    lines = [
        "name,side",
        *(f"{file.name},{'left' if i % 2 else 'right'}" for i, file in enumerate(files)),
    ]
    path = tmp_path / "groups.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def small_groups_count(monkeypatch):
    """The drawn faces are few."""
    monkeypatch.setattr(study, "FEWEST", 3)


@pytest.mark.usefixtures("small_groups_count")
def test_report_groups_all_faces_and_degrades_some_of_them(
    faces_dir, votes_csv, weights_copy, groups_csv, tmp_path
):
    report = study_robustness(
        [faces_dir],
        tmp_path / "out",
        models=["mobilenet_v2"],
        weights_dir=weights_copy,
        votes=votes_csv,
        groups=groups_csv,
        sample=14,
    )
    assert (report["n"], report["made_worse"]) == (21, 14)
    assert next(iter(report["slicings"])) == "side"
    assert {"brightness", "contrast", "sharpness", "light_asymmetry"} <= set(report["slicings"])
    assert {"yaw", "pitch", "roll", "mesh", "vote_entropy", "cluster"} <= set(report["slicings"])
    figures = report["models"]["mobilenet_v2"]
    for name, rows in figures["slices"].items():
        assert sum(row["n"] for row in rows) <= 21, name
        assert [row["group"] for row in rows] == [
            each["group"] for each in report["slicings"][name]["groups"]
        ]
    side = figures["slices"]["side"]
    assert [row["n"] for row in side] == [10, 11]
    right = sum(row["n"] * row["accuracy"] for row in side)
    assert right == pytest.approx(21 * figures["overall"]["accuracy"])
    # Each group is the other's only comparison.
    assert side[0]["gap"]["value"] == pytest.approx(-side[1]["gap"]["value"])
    assert side[0]["gap"]["q"] >= side[0]["gap"]["p"]
    for kind in Degradation:
        rows = figures["curves"][kind.value]
        assert rows[0]["level"] == report["degradations"][kind.value]["unchanged"]
        assert rows[0]["flips"] == rows[0]["change"]["value"] == 0
        assert len(rows) == 1 + len(report["degradations"][kind.value]["levels"])
    unadjusted = figures["mitigation"]["logit_adjustment"]["strengths"][0]
    assert unadjusted["accuracy"] == pytest.approx(figures["overall"]["accuracy"])
    written = (tmp_path / "out" / "robustness.json").read_text()
    assert json.loads(written) == json.loads(json.dumps(report))
    assert "NaN" not in written
    for name in ("robustness_slices.png", "robustness_curves.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")


def test_worse_groups_are_reported_only_beyond_chance():
    labels = np.arange(700) % 7
    answers = np.full((700, 7), 0.02)
    answers[np.arange(700), labels] = 0.88
    # Every second face of the last hundred is answered wrongly.
    wrong = np.arange(600, 700, 2)
    answers[wrong] = np.roll(answers[wrong], 1, axis=1)
    slicings = [
        Slicing("place", "", ("first", "last"), (np.arange(700) >= 600).astype(np.int64)),
        Slicing("none", "", ("even", "odd"), (np.arange(700) // 7 % 2).astype(np.int64)),
    ]
    rows, worst = study._measure_slices(answers, labels, Calibration(), slicings)
    assert [(each["slicing"], each["group"]) for each in worst] == [("place", "last")]
    assert worst[0]["gap"]["value"] == pytest.approx(-0.5, abs=0.02)
    assert rows["place"][0]["gap"]["value"] > 0
