"""The benchmark: its report and tables, its photos, and the lower bound."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from core import DataError, Emotion
from core.config import Preset
from core.reading.limits import MAX_PIXELS
from tests.fakes import FakeAnalyzer, picture, png
from training.benchmark import curves
from training.benchmark import run as module
from training.benchmark.curves import Peak, compute_lower_bound_s
from training.benchmark.photos import generate_photo, generate_photos, read_photos
from training.benchmark.run import (
    BASELINE,
    get_default_configuration,
    list_configurations,
    run_benchmark,
)
from training.benchmark.tables import format_benchmark_tables, format_precision_table
from training.evaluation.speed import summarize_seconds, time_in_turns


class FakeBaseline:
    def detect(self, image):
        return [(10, 10, 70, 70)]

    def prepare(self, image, boxes=None):
        return [image.pixels]

    def classify(self, photos):
        return [0]

    def analyze(self, image):
        return self.classify([self.prepare(image)])


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(module, "BaselinePipeline", FakeBaseline)
    monkeypatch.setattr(module, "_load_analyzer", lambda _name: FakeAnalyzer())
    monkeypatch.setattr(module, "SIZES", (320,))
    monkeypatch.setattr(module, "FACES", (0, 2))


@pytest.mark.usefixtures("quick")
def test_report_has_every_configuration_and_becomes_tables(tmp_path):
    file = tmp_path / "new" / "bench.json"
    run_benchmark(out=file, rounds=1, whole=False)
    report = json.loads(file.read_text(encoding="utf-8"))
    assert set(report["whole"]) == {BASELINE, *list_configurations()}
    assert set(report["ratios"]) == set(list_configurations())
    assert report["default"] in list_configurations()
    assert report["photos"]["count"] == 6
    for name in list_configurations():
        slow, fast = (report["whole"][row]["mean_ms"] for row in (BASELINE, name))
        assert report["ratios"][name] == pytest.approx(slow / fast, rel=0.05, abs=0.02)
    tables = format_benchmark_tables(report)
    assert f"| {get_default_configuration()} (default) |" in tables
    assert "| detect |" in tables
    assert "| 320 |" in tables


@pytest.mark.usefixtures("quick")
def test_photos_are_read_from_a_zip_and_other_files_are_left_out(tmp_path):
    source = tmp_path / "photos.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("a/one.png", png(picture(Emotion.HAPPY)))
        archive.writestr("a/notes.txt", "no photo")
    assert [image.name for image in read_photos(source, 9)] == ["a/one.png"]
    assert run_benchmark(source, rounds=1, whole=False)["photos"]["from"] == "photos.zip"


@pytest.mark.parametrize(
    ("name", "message"), [("absent", "no file or folder"), ("empty", "no photo to read")]
)
def test_source_without_photos_is_an_error(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        read_photos(tmp_path / name, 5)


def test_photos_are_spread_over_a_folder(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}.png").write_bytes(png(picture()))
    assert [image.name for image in read_photos(tmp_path, 4)] == [
        "0.png",
        "3.png",
        "6.png",
        "9.png",
    ]


def test_thorough_mtcnn_and_the_default_are_measured():
    assert f"mtcnn/{Preset.THOROUGH}" in list_configurations()
    assert list_configurations()[0] == get_default_configuration()


def test_tasks_take_turns_and_the_first_round_is_not_counted():
    order = []
    times = time_in_turns(
        {name: [lambda n=name, p=p: order.append((n, p)) for p in (0, 1)] for name in "ab"}, 2
    )
    once = [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert order == once * 3
    assert [len(times[name]) for name in "ab"] == [2, 2]


def test_summary_is_in_milliseconds():
    assert summarize_seconds([0.001 * n for n in range(1, 101)]) == {
        "p50_ms": 50.5,
        "p95_ms": 95.0,
        "mean_ms": 50.5,
    }


@pytest.mark.parametrize("faces", [0, 1, 7, 60])
def test_generated_photo_has_its_size_and_its_faces(faces):
    image = generate_photo((400, 300), faces)
    assert (image.width, image.height) == (400, 300)
    assert (image.pixels == generate_photo((400, 300), faces).pixels).all()
    plain = generate_photo((400, 300), 0).pixels
    if faces:
        assert np.abs(image.pixels.astype(int) - plain).mean() > 5


def test_generated_photos_have_about_a_thousand_pixels():
    assert {max(image.width, image.height) for image in generate_photos()} == {1024}


def test_lower_bound_grows_with_pixels_and_faces():
    peak = Peak(flops_per_s=1e11, bytes_per_s=1e10)
    one_face = compute_lower_bound_s(1e6, 1, Preset.BALANCED, peak)
    assert 0 < one_face < 1
    assert compute_lower_bound_s(1e6, 9, Preset.BALANCED, peak) > one_face
    # Above the working size only the time to read still grows.
    small, large = (compute_lower_bound_s(n, 0, Preset.BALANCED, peak) for n in (1e7, 2e7))
    assert large - small == pytest.approx(6e7 / 1e10, rel=1e-6)


def test_table_compares_the_precisions():
    comparison = {
        "f32": {"accuracy": 0.7055, "macro_f1": 0.67, "ece": 0.0155, "other_answers": 0}
        | {"ms_per_face": 4.16, "faces_per_s": 524},
        "int8": {"accuracy": 0.7052, "macro_f1": 0.6727, "ece": 0.0174, "other_answers": 82}
        | {"ms_per_face": 2.73, "faces_per_s": 1498},
    }
    lines = format_precision_table(comparison).splitlines()
    assert lines[0] == "| MobileNetV2 | f32 | int8 |"
    assert lines[2:] == [
        "| accuracy, % | 70.55 | 70.52 |",
        "| macro-F1, % | 67.00 | 67.27 |",
        "| calibration error, % | 1.55 | 1.74 |",
        "| other answers | 0 | 82 |",
        "| ms for one face | 4.16 | 2.73 |",
        "| faces a second | 524 | 1,498 |",
    ]


def test_largest_photo_of_the_curves_is_within_the_limit(monkeypatch):
    monkeypatch.setattr(curves, "generate_photo", lambda size_wh, _faces: size_wh)
    sizes = [curves._make_photo(size) for size in curves.MEGAPIXELS]
    assert all(width * height <= MAX_PIXELS for width, height in sizes)
    assert sizes[-1][0] * sizes[-1][1] > 0.99 * MAX_PIXELS
