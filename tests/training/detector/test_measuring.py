"""Evaluating, tuning and publishing, from the photos to the files."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from core import Box, ConfigError, DataError, Device, Face, OperatingPoint, Preset, RgbImage
from core.config import PRESETS
from core.detectors import DETECTORS
from core.detectors.compact_network import CompactNetwork
from core.detectors.tuning import detection_figures
from core.weights import read_detector
from training.detector.evaluate import evaluate_detector
from training.detector.gallery import load_examples, show_detectors
from training.detector.measure import load_for_measuring
from training.detector.photos import read_annotated_photos
from training.detector.publish import publish_detector
from training.detector.table import format_detectors_table
from training.detector.tune import tune_detectors
from training.learning.export import export_detector


class Knows:
    """Finds every face of the photos with score .8, and one false alarm in each photo."""

    def __init__(self, photos, threshold):
        rows = read_annotated_photos(photos, photos / "boxes.json", [])
        self.faces = {image.name: faces.boxes_xyxy for image, faces in rows}
        self.threshold = 0.5 if threshold is None else threshold

    def detect(self, image):
        boxes = [(Box(*map(float, box)), 0.8) for box in self.faces.get(image.name, ())]
        boxes.append((Box(90.0, 70.0, 127.0, 95.0), 0.4))
        return tuple(Face(box, score) for box, score in boxes if score >= self.threshold)


@pytest.fixture(autouse=True)
def _known(photos, monkeypatch):
    def load(*, settings, threshold, device, weights_dir):
        return Knows(photos, threshold)

    monkeypatch.setitem(DETECTORS._factories, "known", load)


def evaluate(photos, out, **options):
    figures, _ = evaluate_detector(
        photos, photos / "boxes.json", out, detector="known", min_size_px=0, **options
    )
    return figures


def test_figures_are_written_as_they_were_measured(photos, tmp_path):
    result = evaluate(photos, tmp_path)
    assert json.loads((tmp_path / "detection.json").read_text(encoding="utf-8")) == result
    assert (tmp_path / "detection.png").stat().st_size > 1000
    assert (result["photos"], result["faces"]) == (6, 8)
    assert (result["precision"], result["recall"], result["f1"]) == (1.0, 1.0, 1.0)
    assert 0.4 < result["threshold"] <= 0.8
    assert result["ap"] == pytest.approx(1.0)
    assert result["seconds_per_image"] > 0
    assert result["by_size"]["16-32"]["faces"] + result["by_size"]["32-64"]["faces"] == 8


def test_given_threshold_is_used(photos, tmp_path):
    result = evaluate(photos, tmp_path, threshold=0.3)
    # One wrong detection in each photo but the last, whose box is not ignored there.
    assert result["precision"] == pytest.approx(8 / 14)
    assert result["threshold_is"] == "given"
    with pytest.raises(ConfigError, match="between 0 and 1"):
        evaluate(photos, tmp_path, threshold=1.5)


def test_false_alarms_are_counted_in_photos_without_a_face(photos, no_faces, tmp_path):
    result = evaluate(photos, tmp_path, negatives=no_faces, threshold=0.3)
    assert result["false_alarms_per_100_negatives"] == 100.0
    held = evaluate(photos, tmp_path, negatives=no_faces, threshold=0.9, held_out=True)
    assert held["false_alarms_per_100_negatives"] == 0.0
    assert 0 < held["negatives"] < result["negatives"] == 8


def test_second_detector_is_measured_on_the_same_photos(photos, tmp_path):
    result = evaluate(photos, tmp_path, against="mtcnn", device=Device.CPU)["against"]
    assert result["detector"] == "mtcnn"
    assert result["f1_difference"] == pytest.approx(1.0 - result["f1"])
    low, high = result["f1_difference_interval"]
    assert low <= result["f1_difference"] <= high
    assert result["times_as_fast"] > 1


def test_facenet_pytorch_can_be_the_second_detector(photos, astronaut, tmp_path):
    result = evaluate(photos, tmp_path, against="facenet-pytorch", device=Device.CPU)["against"]
    assert result["detector"] == "facenet-pytorch"
    assert result["times_as_fast"] > 1
    (face,) = load_for_measuring("facenet-pytorch", Preset.BALANCED).detect(RgbImage(astronaut))
    (ours,) = load_for_measuring("mtcnn", Preset.THOROUGH).detect(RgbImage(astronaut))
    assert face.score > 0.99
    edges = [(each.box.x1, each.box.y1, each.box.x2, each.box.y2) for each in (face, ours)]
    assert edges[0] == pytest.approx(edges[1], abs=6)
    assert (
        load_for_measuring("facenet-pytorch", Preset.BALANCED).detect(RgbImage(astronaut[:40]))
        == ()
    )


def test_missing_photos_are_reported(photos, tmp_path):
    with pytest.raises(DataError, match="There is no file or folder"):
        evaluate_detector(photos / "absent.zip", photos / "boxes.json", tmp_path, detector="known")


def test_tuning_writes_what_the_fronts_read(photos, no_faces, tmp_path):
    file, _, _ = tune_detectors(
        photos,
        photos / "boxes.json",
        detectors=["known"],
        min_size_px=0,
        negatives=no_faces,
        weights_dir=tmp_path,
    )
    assert file == tmp_path / "detection.json"
    for preset in Preset:
        figures = detection_figures("known", preset, tmp_path)
        assert figures.points[OperatingPoint.BALANCED].f1 == 1.0
        assert figures.at(0.3).precision == pytest.approx(8 / 14, abs=1e-4)
        assert figures.false_alarms_per_100_negatives == 0.0


def test_tuning_one_detector_keeps_the_others(photos, tmp_path):
    for name in ("known", "other"):
        DETECTORS._factories.setdefault("other", DETECTORS._factories["known"])
        tune_detectors(
            photos, photos / "boxes.json", detectors=[name], min_size_px=0, weights_dir=tmp_path
        )
    del DETECTORS._factories["other"]
    assert detection_figures("known", weights_dir=tmp_path)
    assert detection_figures("other", weights_dir=tmp_path)


@pytest.fixture
def trained(tmp_path):
    """An untrained network, exported like that of a run."""
    folder = tmp_path / "run"
    torch.manual_seed(0)
    described = {
        "recipe": {"epochs": 3},
        "recipe_digest": "0123456789ab",
        "photos": 6,
        "faces": 8,
        "negatives": 4,
        "files": ["photos.zip"],
        "epochs": 3,
        "minutes": 1.5,
        "images_per_s": 30.0,
        "device": "cpu",
        "precision": "32-true",
        "torch": "2",
    }
    export_detector(CompactNetwork().eval(), folder, name="compact", training=described)
    return folder


def test_untuned_detector_is_not_published(trained, tmp_path):
    with pytest.raises(ConfigError, match="not tuned") as caught:
        publish_detector(trained, tmp_path / "weights")
    assert "emotion detector tune" in caught.value.hint


def test_publishing_copies_thresholds_and_card(trained, photos, tmp_path, monkeypatch):
    monkeypatch.setitem(DETECTORS._factories, "compact", "core.detectors.compact:load_compact")
    tune_detectors(
        photos, photos / "boxes.json", detectors=["compact"], min_size_px=0, weights_dir=trained
    )
    folder = tmp_path / "weights"
    publish_detector(trained, folder)
    assert read_detector("compact", folder).sha256 == read_detector("compact", trained).sha256
    assert detection_figures("compact", weights_dir=folder)
    card = (folder / "compact.md").read_text(encoding="utf-8")
    assert "6 photos" in card
    assert "balanced (640 px), recall" in card


def test_table_has_a_column_for_each_result(photos, no_faces, tmp_path):
    files = []
    for name in ("one", "other"):
        point = OperatingPoint.PRECISION if name == "other" else OperatingPoint.BALANCED
        evaluate(
            photos,
            tmp_path / name,
            negatives=no_faces,
            preset=Preset.FAST,
            operating_point=point,
        )
        files.append(tmp_path / name / "detection.json")
    lines = format_detectors_table(files).splitlines()
    assert lines[0] == "|  | known, fast | known, fast, best for precision on these photos |"
    assert all(line.count("|") == 4 for line in lines)
    assert any(line.startswith("| F1 | 1.000 (1.000 to 1.000)") for line in lines)
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(DataError, match=r"bad\.json"):
        format_detectors_table([tmp_path / "bad.json"])


def test_examples_are_drawn_with_the_boxes_of_every_detector(photos, tmp_path, monkeypatch):
    tiny = dataclasses.replace(PRESETS[Preset.FAST], working_px=64)
    monkeypatch.setitem(PRESETS, Preset.FAST, tiny)
    counts = show_detectors(
        tmp_path / "sheet.png", photos=[photos / "1.png", photos / "2.png"], preset="fast"
    )
    assert counts["1.png"]["known"] == 2
    assert (tmp_path / "sheet.png").stat().st_size > 1000
    assert len(load_examples()) == 6
    assert all(np.ptp(image.pixels) > 0 for image in load_examples())
