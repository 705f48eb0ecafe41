"""The study of misplaced landmarks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core import EMOTIONS, Box, Face, LandmarkNoise, Landmarks
from core.calibration import Calibration
from core.classifiers.model import EmotionModel
from core.errors import DataError
from training.studies import landmarks as study
from training.studies.landmarks import DROPPED, ERRORS, study_landmarks

FRAME = np.array([(15.2, 19.0), (33.0, 18.8), (24.3, 28.0), (16.3, 36.7), (32.3, 36.7)], np.float32)
SHIFT_PX = 4.0
"""How far the detector of these tests errs with its points."""


class MiddlePixelClassifier:
    """Knows the emotion by the grey value of the crop's middle."""

    def logits(self, crops):
        rows = np.full((len(crops), len(EMOTIONS)), 0.02)
        rows[np.arange(len(crops)), (crops[:, 24, 24] // 36).clip(0, 6)] = 0.88
        return np.log(rows).astype(np.float32)


@pytest.fixture
def place_points(monkeypatch, faces_dir):
    """The study with drawn faces, points where the frame has them, and that model."""
    name, calibration = "mobilenet_v2", Calibration(certain_from=0.5)
    model = EmotionModel.from_single_classifier(name, MiddlePixelClassifier(), calibration)
    monkeypatch.setattr(study, "load_trained_models", lambda names, weights_dir: {name: model})
    monkeypatch.setattr(study, "FaceMeshLandmarks", lambda: None)
    monkeypatch.setattr(study, "_load_detector", lambda: None)
    beside = Landmarks(FRAME + np.array([SHIFT_PX, 0], np.float32), "five_points")
    found = Face(Box(0, 0, 40, 40), 1.0, beside)
    monkeypatch.setattr(
        study,
        "detect_central_faces",
        lambda images, _detector: [None if n == 0 else found for n in range(len(images))],
    )

    def place(points):
        monkeypatch.setattr(
            study,
            "find_landmarks",
            lambda images, _mesh: [None if n == 0 else points for n in range(len(images))],
        )

    place(Landmarks(FRAME, "five_points"))
    return place


def test_well_placed_landmarks_change_nothing_and_misplaced_ones_do(
    place_points, faces_dir, tmp_path
):
    report = study_landmarks([faces_dir], tmp_path, models=["mobilenet_v2"], sample=14)
    assert report["found"] == report["n"] - 1
    figures = report["models"]["mobilenet_v2"]
    # The drawn faces lie on the frame already: aligning them gives them back.
    assert figures["as_given"]["flips"] == 0
    assert set(figures["noise"]) == {each.value for each in LandmarkNoise}
    assert all([row["error"] for row in rows] == list(ERRORS) for rows in figures["noise"].values())
    # All points that move by the error: nothing is left out of the mean.
    rows = figures["noise"]["shift"]
    assert [row["nme"] for row in rows] == pytest.approx(list(ERRORS), rel=1e-3)
    assert all(row["nme"] < row["error"] for row in figures["noise"]["mouth"])
    flips = [row["flips"] for row in figures["noise"]["shift"]]
    assert flips[-1] > flips[0]
    assert (tmp_path / "landmarks.png").read_bytes().startswith(b"\x89PNG")
    written = (tmp_path / "landmarks.json").read_text()
    assert json.loads(written) == json.loads(json.dumps(report))
    assert "NaN" not in written


def test_faces_without_landmarks_are_cut_out_by_the_box(place_points, faces_dir, tmp_path):
    result = study_landmarks([faces_dir], tmp_path, models=["mobilenet_v2"], sample=14)
    rows = result["models"]["mobilenet_v2"]["dropped"]
    assert [row["share"] for row in rows] == list(DROPPED)
    flips = [row["flips"] for row in rows]
    assert flips == sorted(flips)
    # The box is that of another square than the frame: some answers must change.
    assert flips[-1] > 0


def test_ways_to_cut_out_are_compared_on_faces_that_both_found(place_points, faces_dir, tmp_path):
    result = study_landmarks([faces_dir], tmp_path, models=["mobilenet_v2"], sample=14)
    ways = result["ways"]
    assert ways["found_by_both"] == result["found"] - 1
    eyes = float(np.linalg.norm(FRAME[1] - FRAME[0]))
    assert ways["distance"]["mean"] == pytest.approx(SHIFT_PX / eyes, rel=1e-3)
    figures = ways["models"]["mobilenet_v2"]
    assert list(figures) == ["mesh", "five_points", "box", "as_given"]
    assert figures["mesh"]["flips"] == figures["as_given"]["flips"] == 0
    assert figures["five_points"]["flips"] > 0
    assert (result["photos"], result["human_points"]) == (None, None)


def test_impossible_points_leave_the_face_whole(place_points, faces_dir, tmp_path):
    place_points(Landmarks(np.full((5, 2), 20.0, np.float32), "five_points"))
    result = study_landmarks([faces_dir], tmp_path, models=["mobilenet_v2"], sample=14)
    figures = result["models"]["mobilenet_v2"]
    assert figures["as_given"]["flips"] == 0


def test_pictures_without_a_face_are_an_error(place_points, faces_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "find_landmarks", lambda images, _mesh: [None] * len(images))
    with pytest.raises(DataError, match="finds no face"):
        study_landmarks([faces_dir], tmp_path, models=["mobilenet_v2"], sample=14)
