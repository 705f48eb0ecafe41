"""Thresholds and figures are read from the measurements."""

from __future__ import annotations

import json

import pytest

from core import OperatingPoint, Preset, WeightsCorrupt, detection_figures
from core.detectors.tuning import TUNED_NAME, find_tuned_threshold

POINT = {"threshold": 0.5, "precision": 0.9, "recall": 0.8, "f1": 0.847}


@pytest.fixture
def document():
    points = {
        "precision": {**POINT, "threshold": 0.7},
        "balanced": POINT,
        "recall": {**POINT, "threshold": 0.3},
    }
    curve = {
        "threshold": [0.3, 0.5, 0.7],
        "precision": [0.8, 0.9, 0.95],
        "recall": [0.85, 0.8, 0.6],
        "f1": [0.82, 0.847, 0.735],
    }
    entry = {
        "data": "3 photos",
        "min_size_px": 32,
        "points": points,
        "curve": curve,
        "ap": 0.81,
        "false_alarms_per_100_negatives": 4.5,
    }
    return {"schema_version": 1, "detectors": {"mtcnn": {"balanced": entry}}}


@pytest.fixture
def folder(tmp_path, document):
    def write(changed=document):
        (tmp_path / TUNED_NAME).write_text(json.dumps(changed), encoding="utf-8")
        return tmp_path

    return write


def test_figures_are_read_completely(folder):
    figures = detection_figures("mtcnn", Preset.BALANCED, folder())
    assert (figures.ap, figures.min_size_px, figures.data) == (0.81, 32.0, "3 photos")
    assert figures.false_alarms_per_100_negatives == 4.5
    assert figures.points[OperatingPoint.RECALL].threshold == 0.3
    assert [point.recall for point in figures.curve] == [0.85, 0.8, 0.6]


@pytest.mark.parametrize(("wanted", "nearest"), [(0.0, 0.3), (0.39, 0.3), (0.62, 0.7), (1.0, 0.7)])
def test_figures_come_from_the_nearest_measured_threshold(folder, wanted, nearest):
    assert detection_figures("mtcnn", weights_dir=folder()).at(wanted).threshold == nearest


@pytest.mark.parametrize(
    ("point", "threshold"),
    [
        (OperatingPoint.PRECISION, 0.7),
        (OperatingPoint.BALANCED, 0.5),
        (OperatingPoint.RECALL, 0.3),
    ],
)
def test_operating_point_gives_its_threshold(folder, point, threshold):
    assert find_tuned_threshold("mtcnn", Preset.BALANCED, point, folder()) == threshold


def test_detector_that_was_not_measured_has_no_threshold(folder, tmp_path):
    folder()
    assert find_tuned_threshold("mtcnn", Preset.FAST, OperatingPoint.RECALL, tmp_path) is None
    assert find_tuned_threshold("other", Preset.BALANCED, OperatingPoint.RECALL, tmp_path) is None
    assert detection_figures("mtcnn", weights_dir=tmp_path / "absent") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document.update(schema_version=2),
        lambda document: document["detectors"]["mtcnn"]["balanced"]["points"].pop("recall"),
        lambda document: document["detectors"]["mtcnn"]["balanced"].pop("curve"),
        lambda document: document["detectors"]["mtcnn"]["balanced"]["curve"]["f1"].pop(),
        lambda document: document["detectors"]["mtcnn"]["balanced"]["points"]["recall"].update(
            threshold=1.5
        ),
    ],
)
def test_file_that_cannot_be_understood_is_named(folder, document, damage):
    damage(document)
    with pytest.raises(WeightsCorrupt, match=TUNED_NAME):
        detection_figures("mtcnn", weights_dir=folder(document))


def test_file_that_is_not_json_is_named(tmp_path):
    (tmp_path / TUNED_NAME).write_bytes(b"\x00")
    with pytest.raises(WeightsCorrupt, match="understood"):
        detection_figures("mtcnn", weights_dir=tmp_path)
