"""Whole photos: a face that is not found is an error."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from core import EMOTIONS, AnalyzerConfig, Emotion
from core.errors import DataError
from tests.fakes import FakeAnalyzer, picture, png
from training.evaluation import photos as evaluation
from training.evaluation.natural_photos import NATURAL_COUNTS, weigh_by_natural_shares
from training.evaluation.photos import evaluate_photos


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Two happy photos, one of them answered as sad, a sad one without a face, and a group."""
    monkeypatch.setattr(evaluation, "_load_analyzer", lambda *_: FakeAnalyzer())
    folder = tmp_path / "photos"
    for name, pixels in {
        "happy/a.png": picture(Emotion.HAPPY),
        "happy/b.png": picture(unsure=[Emotion.SAD]),
        "sad/c.png": picture(),
        "group/d.png": picture(Emotion.SAD, Emotion.FEAR),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(pixels))
    (folder / "happy" / "e.png").write_bytes(b"no picture")
    return folder


def test_photo_without_a_found_face_counts_as_an_error(photos, tmp_path):
    report, skipped = evaluate_photos(photos, tmp_path / "out", models=["mobilenet_v2"])
    figures = report["models"]["mobilenet_v2"]["people"]
    assert (figures["n"], figures["found"]) == (3, 2)
    assert figures["coverage"] == pytest.approx(2 / 3)
    assert figures["accuracy"] == pytest.approx(1 / 3)
    assert figures["accuracy_of_found"] == pytest.approx(1 / 2)
    low, high = figures["accuracy_interval"]
    assert low < 1 / 3 < high
    assert figures["balanced_accuracy"] == pytest.approx((1 / 2 + 0) / 2)
    # The second photo's answer is "not sure".
    assert (figures["certain"], figures["certain_accuracy"]) == (pytest.approx(1 / 3), 1.0)
    assert figures["per_class"]["happy"] == {"n": 2, "found": 2, "right": 1}
    assert figures["per_class"]["sad"] == {"n": 1, "found": 0, "right": 0}
    # Of the found faces only the happy ones have a label.
    assert figures["accuracy_in_life"] == pytest.approx(1 / 2)
    assert figures["unreadable"] == {"faces": 0, "withheld": 0, "withheld_wrong": 0}
    assert report["unlabelled"] == {"photos": 1, "faces": 2}
    (line,) = skipped
    assert line.startswith("happy/e.png: ")
    written = json.loads((tmp_path / "out" / "photos.json").read_text())
    assert written == json.loads(json.dumps(report))
    assert written["detector"] == AnalyzerConfig().chosen_detector


def test_every_photo_has_a_line(photos, tmp_path):
    evaluate_photos(photos, tmp_path, models=["mobilenet_v2"])
    with (tmp_path / "photos.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file) if row["reading"] == "people"}
    assert rows["happy/b.png"]["top"] == "sad"
    assert rows["happy/b.png"]["certain"] == "0"
    assert (rows["sad/c.png"]["faces"], rows["sad/c.png"]["top"]) == ("0", "")
    assert rows["group/d.png"]["label"] == ""


def test_largest_face_counts_as_the_answer(photos, tmp_path):
    pixels = picture(Emotion.SAD, side=40)
    pixels[100:300, 100:300] = picture(Emotion.HAPPY, side=200)[10:210, 10:210]
    (photos / "happy" / "b.png").write_bytes(png(pixels))
    report, _ = evaluate_photos(photos, tmp_path, models=["mobilenet_v2"])
    assert report["models"]["mobilenet_v2"]["people"]["per_class"]["happy"]["right"] == 2


def test_own_labels_are_mapped_and_can_be_left_out(photos, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("class,emotion\nhappy,happy\nsad,\ngroup,fear\n")
    report, _ = evaluate_photos(photos, tmp_path, models=["mobilenet_v2"], labels=labels)
    figures = report["models"]["mobilenet_v2"]["people"]
    assert set(figures["per_class"]) == {"fear", "happy"}
    labels.write_text("class,emotion\nhappy,happy\n")
    with pytest.raises(DataError, match="class folder 'group'"):
        evaluate_photos(photos, tmp_path, models=["mobilenet_v2"], labels=labels)


def test_photos_without_any_label_are_refused(photos, tmp_path):
    with pytest.raises(DataError, match="No photo in group"):
        evaluate_photos(photos / "group", tmp_path, models=["mobilenet_v2"])


def test_emotions_count_as_often_as_in_life():
    labels = np.array([EMOTIONS.index(each) for each in ("neutral", "sad", "sad")])
    weights = weigh_by_natural_shares(labels)
    assert weights.sum() == pytest.approx(1)
    neutral, sad = NATURAL_COUNTS[Emotion.NEUTRAL], NATURAL_COUNTS[Emotion.SAD]
    assert weights[0] == pytest.approx(neutral / (neutral + sad))
    assert weights[1] == weights[2]


def test_answers_that_unreadable_faces_do_not_get_are_counted(photos, tmp_path, monkeypatch):
    """Faces of 15 px would be certain if they were larger."""
    for name in ("a", "b"):
        small = png(picture(Emotion.HAPPY if name == "a" else Emotion.SAD, side=15))
        (photos / "happy" / f"{name}.png").write_bytes(small)
    report, _ = evaluate_photos(photos, tmp_path, models=["mobilenet_v2"])
    figures = report["models"]["mobilenet_v2"]["people"]
    assert figures["certain"] == 0
    assert figures["unreadable"] == {"faces": 2, "withheld": 2, "withheld_wrong": 1}
