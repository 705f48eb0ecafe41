"""The study of misplaced landmarks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core import EMOTIONS, LandmarkNoise, Landmarks
from core.calibration import Calibration
from core.errors import DataError
from core.pipeline import EmotionModel
from training.studies import landmarks as study
from training.studies.landmarks import ERRORS, study_landmarks

FRAME = np.array([(15.2, 19.0), (33.0, 18.8), (24.3, 28.0), (16.3, 36.7), (32.3, 36.7)], np.float32)


class FirstPixelClassifier:
    """Knows the emotion by the grey value of the crop's middle."""

    def logits(self, crops):
        rows = np.zeros((len(crops), len(EMOTIONS)), np.float32)
        rows[np.arange(len(crops)), (crops[:, 24, 24] // 36).clip(0, 6)] = 3
        return rows


@pytest.fixture
def asked(monkeypatch, faces_dir):
    """The study with drawn faces, points where the frame has them, and that classifier."""
    model = EmotionModel(FirstPixelClassifier(), Calibration(certain_from=0.5))
    monkeypatch.setattr(study, "load_emotion_model", lambda config: model)
    monkeypatch.setattr(study, "FaceMeshLandmarks", lambda: None)

    def located(points):
        monkeypatch.setattr(
            study,
            "landmarks_of",
            lambda images, _mesh: [None if n == 0 else points for n in range(len(images))],
        )

    located(Landmarks(FRAME, "five_points"))
    return located


def test_well_placed_landmarks_change_nothing_and_misplaced_ones_do(asked, faces_dir, tmp_path):
    told = study_landmarks([faces_dir], tmp_path, models=["mobilenet_v2"], sample=12)
    report = told.report
    assert report["found"] == report["n"] - 1
    figures = report["models"]["mobilenet_v2"]
    # The drawn faces lie on the frame already: aligning them gives them back.
    assert figures["as_given"]["flips"] == 0
    assert set(figures["noise"]) == {each.value for each in LandmarkNoise}
    assert all([row["error"] for row in rows] == list(ERRORS) for rows in figures["noise"].values())
    flips = [row["flips"] for row in figures["noise"]["shift"]]
    assert flips[-1] > flips[0]
    assert (tmp_path / "landmarks.png").read_bytes().startswith(b"\x89PNG")
    written = (tmp_path / "landmarks.json").read_text()
    assert json.loads(written) == json.loads(json.dumps(report))
    assert "NaN" not in written


def test_points_that_cannot_be_a_face_leave_it_whole(asked, faces_dir, tmp_path):
    asked(Landmarks(np.full((5, 2), 20.0, np.float32), "five_points"))
    told = study_landmarks([faces_dir], tmp_path, models=["mobilenet_v2"], sample=12)
    figures = told.report["models"]["mobilenet_v2"]
    assert figures["as_given"]["flips"] == 0


def test_pictures_without_a_face_are_told(asked, faces_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "landmarks_of", lambda images, _mesh: [None] * len(images))
    with pytest.raises(DataError, match="finds no face"):
        study_landmarks([faces_dir], tmp_path, models=["mobilenet_v2"], sample=12)
