"""`emotion study turned`: found faces, turned photos, false faces, cost."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from core import AnalyzerConfig, Box, DataError, Face, Preset
from tests.core.pipeline_parts import analyzer
from training.detector.train import is_training_negative
from training.studies import turned as study
from training.studies.turned import study_turned

UPRIGHT = np.zeros((60, 60, 3), np.uint8)
UPRIGHT[:30] = 220
GREY = np.full((60, 60, 3), 90, np.uint8)


class Bright:
    """Finds a face wherever the upper half is brighter, and one in pictures of one value."""

    def detect(self, image):
        top, bottom = np.split(image.pixels.astype(int), [image.height // 2])
        uniform = image.pixels.min() == image.pixels.max()
        if not uniform and top.mean() < bottom.mean() + 50:
            return ()
        return (Face(Box(10, 10, 50, 50), 0.9),)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "natural"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(UPRIGHT + number).save(folder / f"{number}.png")
    Image.fromarray(np.roll(UPRIGHT, 30, axis=0)).save(folder / "upside_down.png")
    Image.fromarray(np.tile(np.uint8([[[9], [99]]]), (60, 30, 3))).save(folder / "none.png")
    return folder


@pytest.fixture
def negatives(tmp_path):
    """One picture kept for measuring of each kind, and one that training learns from."""
    folder = tmp_path / "negatives"
    folder.mkdir()
    names = [f"{kind}{number}.png" for kind in ("hard_", "room_") for number in range(40)]
    held_out = [name for name in names if not is_training_negative(name)]
    for kind in ("hard_", "room_"):
        Image.fromarray(GREY).save(folder / next(n for n in held_out if n.startswith(kind)))
    Image.fromarray(GREY).save(folder / next(n for n in names if is_training_negative(n)))
    return folder


def measure(monkeypatch, tmp_path, photos, **options):
    made = analyzer(detector=Bright())
    monkeypatch.setattr(study.Analyzer, "from_config", lambda _config: made)
    monkeypatch.setattr(study.DETECTORS, "get", lambda _name: lambda **_: Bright())
    result = study_turned(photos, tmp_path / "out", presets=[Preset.BALANCED], **options)
    assert json.loads((tmp_path / "out" / "turned.json").read_text()) == result
    return result, result["presets"]["balanced"]


def test_photos_are_found_and_turned_upright(monkeypatch, tmp_path, photos):
    result, row = measure(monkeypatch, tmp_path, photos)
    assert (result["data"], result["photos"], result["turned_photos"]) == ("natural", 5, 5)
    assert row["found"]["share"] == pytest.approx(3 / 5)
    assert row["missed"] == ["none.png", "upside_down.png"]
    # Of the five, three are upright as they are; the fourth is turned over.
    shares = {degrees: each["share"] for degrees, each in row["upright_after"].items()}
    assert shares == dict.fromkeys(["0", "90", "180", "270"], pytest.approx(3 / 5))
    assert row["negatives"] is None
    assert row["cost"] is None


def test_photos_are_turned_by_a_sample(monkeypatch, tmp_path, photos):
    result, row = measure(monkeypatch, tmp_path, photos, sample=1)
    assert result["turned_photos"] == 1
    assert row["upright_after"]["90"]["share"] == 1.0  # the first one


def test_false_faces_are_counted_by_kind(monkeypatch, tmp_path, photos, negatives):
    _, row = measure(monkeypatch, tmp_path, photos, negatives=negatives)
    assert row["negatives"] == {
        kind: {"photos": 1, "per_100_as_given": 100.0, "per_100_turned": 100.0}
        for kind in ("ordinary", "statues and drawings")
    }


def test_cost_is_compared_photo_by_photo(monkeypatch, tmp_path, photos):
    _, row = measure(monkeypatch, tmp_path, photos, ordinary=photos)
    cost = row["cost"]
    assert (cost["data"], cost["photos"]) == ("natural", 5)
    assert cost["ratio"] == cost["median_s"]["with"] / cost["median_s"]["without"]


def test_folder_without_a_photo_is_refused(monkeypatch, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="can be read"):
        measure(monkeypatch, tmp_path, tmp_path / "empty")


def test_presets_are_analyzed_with_the_folder_s_weights(monkeypatch, tmp_path, photos):
    configs = []

    def from_config(config):
        configs.append(config)
        return analyzer(detector=Bright())

    monkeypatch.setattr(study.Analyzer, "from_config", from_config)
    study_turned(photos, tmp_path / "out", weights_dir=tmp_path)
    assert configs == [AnalyzerConfig(preset=each, weights_dir=tmp_path) for each in Preset]
