"""Ways to cut a face out, on whole photos."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from core import Emotion, Face, Landmarks
from core.calibration import Calibration
from core.classifiers.model import EmotionModel
from tests.fakes import SquareClassifier, SquareDetector, picture, png
from training.studies import alignment_methods
from training.studies.alignment_methods import compare_on_photos, measure_landmark_distance

SIDE = 60


class PointedDetector(SquareDetector):
    """Finds the squares, and five points in each of them that err by a tenth of its side."""

    def detect(self, image):
        return tuple(
            Face(face.box, face.score, points_in(face.box, 0.1)) for face in super().detect(image)
        )


def points_in(box, error=0.0):
    x, y, side = box.x1, box.y1 + error * box.width, box.width
    shares = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
    points = [(x + side * right, y + side * down) for right, down in shares]
    return Landmarks(np.array(points, np.float32), "five_points")


class SquareMesh:
    def locate(self, _image, faces):
        return tuple(points_in(face.box) for face in faces)


def make_models():
    calibration = Calibration(certain_from=0.5)
    return {
        "mobilenet_v2": EmotionModel.from_single_classifier(
            "mobilenet_v2", SquareClassifier(), calibration
        )
    }


@pytest.fixture
def photos(tmp_path, monkeypatch):
    detectors = SimpleNamespace(get=lambda _name: lambda **_: PointedDetector())
    monkeypatch.setattr(alignment_methods, "DETECTORS", detectors)
    for name, pixels in {
        "happy/a.png": picture(Emotion.HAPPY, side=SIDE),
        "sad/b.png": picture(Emotion.SAD, side=SIDE),
        "fear/c.png": picture(),
        "group/d.png": picture(Emotion.FEAR, Emotion.SAD),
    }.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(png(pixels))
    return tmp_path / "photos"


def test_labelled_photos_are_cut_out_in_every_way(photos):
    result = compare_on_photos(photos, make_models(), SquareMesh(), lambda _text: None)
    assert (result["labelled"], result["found_by_detector"], result["found_by_both"]) == (3, 2, 2)
    # A tenth of the side, where the eyes lie four tenths of it apart.
    assert result["distance"]["mean"] == pytest.approx(0.25)
    figures = result["models"]["mobilenet_v2"]
    assert list(figures) == ["mesh", "five_points", "box"]
    for row in figures.values():
        assert (row["accuracy"], row["flips"]) == (1.0, 0.0)
        assert row["against_mesh"]["value"] == 0


def test_photos_without_a_found_face_have_no_figures(photos):
    for folder in ("happy", "sad"):
        for file in (photos / folder).iterdir():
            file.write_bytes(png(picture()))
    result = compare_on_photos(photos, make_models(), SquareMesh(), lambda _text: None)
    assert (result["found_by_both"], result["models"]) == (0, {})
    assert result["distance"] == measure_landmark_distance([]) == {"n": 0}
