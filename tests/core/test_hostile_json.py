"""Documents with absurd numbers, depths or sizes end in a sentence, not in a traceback."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from core.catalog import model_catalog
from core.classifiers import ARCHITECTURES
from core.config import Preset
from core.detectors.tuning import TUNED_NAME, detection_figures
from core.diagnostics.weights import check_weights
from core.errors import ConfigError, DataError, WeightsCorrupt
from core.files import parse_json, read_bounded, read_json
from core.weights import MANIFEST_NAME, SHIPPED_DIR, read_detectors, read_manifest, read_models
from training.detector.photos import read_annotations
from training.learning.recipe import read_recipe

ABSURD = {
    "infinite": "1e999",
    "minus infinite": "-1e999",
    "not a number": "NaN",
    "named infinity": "Infinity",
    "too long": "1" + "0" * 400,
    "far too long": "1" + "0" * 5000,
    "nested": "[" * 100_000 + "]" * 100_000,
}
SPARSE_BYTES = 40 * 1024**3


@pytest.fixture
def weights(tmp_path):
    """A folder with the two documents beside the weights."""
    for name in (MANIFEST_NAME, TUNED_NAME):
        shutil.copy(SHIPPED_DIR / name, tmp_path)
    return tmp_path


def put_number(file, *keys, text):
    """Write ``text`` where the document in ``file`` has the value that ``keys`` lead to."""
    document = json.loads(file.read_text())
    place = document
    for key in keys[:-1]:
        place = place[key]
    assert keys[-1] in place
    place[keys[-1]] = "HERE"
    file.write_text(json.dumps(document).replace('"HERE"', text))


PLACES = [
    ("preprocessing", "input_px"),
    ("preprocessing", "mean"),
    ("calibrations", "people", "temperature"),
    ("frame", "left_eye"),
    ("bytes",),
    ("parameters",),
]


@pytest.mark.parametrize("place", PLACES, ids="/".join)
@pytest.mark.parametrize("text", ABSURD.values(), ids=ABSURD)
def test_manifest_with_an_absurd_value_is_refused_in_words(weights, place, text):
    put_number(weights / MANIFEST_NAME, "models", "mobilenet_v2", *place, text=text)
    for read in (read_manifest, read_models, read_detectors, model_catalog):
        with pytest.raises(WeightsCorrupt, match="cannot be understood"):
            read(weights)
    findings = list(check_weights(weights, ARCHITECTURES))
    assert any("cannot be understood" in each.detail for each in findings)


@pytest.mark.parametrize("side", ["1e9", "1000000000", "0", "-5", '"96"', "[96]"])
def test_network_with_an_absurd_input_is_refused_in_words(weights, side):
    put_number(
        weights / MANIFEST_NAME, "models", "mobilenet_v2", "preprocessing", "input_px", text=side
    )
    with pytest.raises(WeightsCorrupt, match="cannot be understood"):
        read_models(weights)


@pytest.mark.parametrize("text", ABSURD.values(), ids=ABSURD)
def test_figures_of_a_detector_with_an_absurd_value_are_refused_in_words(weights, text):
    put_number(weights / TUNED_NAME, "detectors", "hybrid", "balanced", "ap", text=text)
    with pytest.raises(WeightsCorrupt, match="cannot be understood"):
        detection_figures("hybrid", Preset.BALANCED, weights)


@pytest.mark.parametrize("text", ABSURD.values(), ids=ABSURD)
def test_boxes_with_an_absurd_value_are_refused_in_words(tmp_path, text):
    boxes = tmp_path / "boxes.json"
    boxes.write_text(
        '{"images": [{"id": 1, "file_name": "a.jpg", "width": 10, "height": 10}], '
        f'"annotations": [{{"image_id": 1, "category_id": 1, "bbox": [0, 0, 5, {text}]}}], '
        '"categories": [{"id": 1, "name": "face"}]}'
    )
    with pytest.raises(DataError):
        read_annotations(boxes)


def test_files_of_absurd_size_are_refused_before_they_fill_the_memory(weights):
    for name in (MANIFEST_NAME, TUNED_NAME, "boxes.json", "recipe.toml"):
        with (weights / name).open("wb") as file:
            file.truncate(SPARSE_BYTES)  # takes no room on the disk
    with pytest.raises(WeightsCorrupt, match="more than 256 MB"):
        read_models(weights)
    with pytest.raises(WeightsCorrupt, match="more than 256 MB"):
        detection_figures("hybrid", Preset.BALANCED, weights)
    with pytest.raises(DataError, match="more than 256 MB"):
        read_annotations(weights / "boxes.json")
    with pytest.raises(ConfigError, match="more than 256 MB"):
        read_recipe("mobilenet_v2", file=weights / "recipe.toml")


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and devices")
def test_pipes_devices_and_folders_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(OSError, match="no ordinary file"):
            read_bounded(path)
    with pytest.raises(IsADirectoryError):
        read_bounded(tmp_path)


@pytest.mark.parametrize("text", ["[" * 100_000, "a = " + "[" * 100_000, "\xff", "a = 1"])
def test_recipe_that_makes_no_sense_is_refused_in_words(tmp_path, text):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError):
        read_recipe("mobilenet_v2", file=recipe)


def test_ordinary_documents_are_read_as_before(tmp_path):
    document = {"a": [1, -2.5, 1e300, True, None], "b": {"c": "ä"}, "d": 10**17}
    file = tmp_path / "document.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert read_json(file) == document
    assert parse_json(b"3") == 3
    with pytest.raises(ValueError, match="too large"):
        parse_json(b"1" + b"0" * 18)
