"""`emotion live` on a generated video, with a fake analyzer."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import core
from cli.main import app
from cli.timeline import Timeline
from core import EMOTIONS, Emotion, Reading, RgbImage, is_video, open_video, video_writer
from tests.fakes import FakeEnsemble, picture, png


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def film(tmp_path):
    """Two seconds, 10 frames each: first happy, then sad."""
    path = tmp_path / "film.mp4"
    with video_writer(path, size_wh=(480, 360), frames_per_s=10) as write:
        for emotion in (Emotion.HAPPY, Emotion.SAD):
            for _ in range(10):
                write(RgbImage(picture(emotion, side=120)))
    return path


@pytest.mark.usefixtures("configs")
def test_table_says_when_each_face_was_seen_and_what_it_showed(film):
    result = run("live", film, "--every", 1)
    assert result.exit_code == 0, result.output
    row = next(line for line in result.stdout.splitlines() if line.startswith("1"))
    assert "0.0 to 1.9 s" in row
    assert "happy" in row
    assert "sad" in row
    assert "20 frames in" in result.stderr
    assert "Answers: what most people would see" in result.stdout


@pytest.mark.usefixtures("configs")
def test_rows_video_and_plot_are_written(film, tmp_path):
    out, rows, plot = (tmp_path / name for name in ("marked.mp4", "rows.csv", "plot.png"))
    result = run("live", film, "--every", 1, "--out", out, "--csv", rows, "--plot", plot)
    assert result.exit_code == 0, result.output
    with rows.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["time_s"]) for row in table] == pytest.approx([n / 10 for n in range(20)])
    assert {row["face"] for row in table} == {"1"}
    assert table[0]["answer"] == table[0]["top"] == "happy"
    assert {(row["path"], row["status"], row["certain"]) for row in table} == {
        ("film.mp4", "face", "yes")
    }
    assert (table[0]["agreement"], table[0]["per_model"]) == ("", "")
    for row in table:
        assert sum(float(row[emotion]) for emotion in EMOTIONS) == pytest.approx(1, abs=1e-3)
    assert is_video(out)
    with open_video(out) as marked, open_video(film) as plain:
        pairs = list(zip(marked.frames, plain.frames, strict=True))
    assert len(pairs) == 20
    for one, other in pairs:
        assert np.abs(one.image.pixels.astype(int) - other.image.pixels).max() > 60
    with Image.open(plot) as drawn:
        assert drawn.size[0] > 600


@pytest.mark.usefixtures("configs")
def test_csv_has_the_columns_and_numbers_of_every_table(film, tmp_path):
    rows, photo = tmp_path / "rows.csv", tmp_path / "photo.png"
    with open_video(film) as video:
        photo.write_bytes(png(next(video.frames).image.pixels))
    assert run("live", film, "--seconds", "0.1", "--csv", rows).exit_code == 0
    with rows.open(encoding="utf-8", newline="") as file:
        (of_frame,) = csv.DictReader(file)
    of_photo = run("analyze", photo, "--preset", "fast", "--format", "csv").stdout
    (of_photo,) = csv.DictReader(io.StringIO(of_photo, newline=""))
    assert of_frame.pop("time_s") == "0.0"
    assert of_photo.pop("time_s") == ""
    assert of_frame == {**of_photo, "path": "film.mp4"}


@pytest.mark.usefixtures("configs")
def test_frame_without_a_face_has_no_row(tmp_path):
    path, rows = tmp_path / "=film.mp4", tmp_path / "rows.csv"
    with video_writer(path, size_wh=(480, 360), frames_per_s=10) as write:
        for faces in ([], [Emotion.HAPPY], []):
            write(RgbImage(picture(*faces, side=120)))
    assert run("live", path, "--every", 1, "--csv", rows).exit_code == 0
    with rows.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["path"], row["time_s"]) for row in table] == [("'=film.mp4", "0.1")]


def test_reading_reaches_the_analyzer_the_rows_and_the_table(film, tmp_path, configs):
    rows = tmp_path / "rows.csv"
    result = run("live", film, "--reading", "fer2013", "--csv", rows)
    assert [config.reading for config in configs] == ["fer2013"]
    with rows.open(encoding="utf-8", newline="") as file:
        assert {row["reading"] for row in csv.DictReader(file)} == {"fer2013"}
    assert "Answers: the most likely label of FER-2013" in result.stdout


@pytest.mark.parametrize(
    ("reading", "unit"), [("people", "of 100 people"), ("fer2013", "probability, %")]
)
def test_plot_says_what_it_counts(tmp_path, monkeypatch, reading, unit):
    from matplotlib.axes import Axes

    labels = []
    monkeypatch.setattr(Axes, "set_ylabel", lambda _, label: labels.append(label))
    Timeline(Reading(reading)).plot(tmp_path / "plot.png")
    assert labels == [unit]


@pytest.mark.usefixtures("configs")
def test_seconds_option_stops_early(film):
    assert "5 frames in" in run("live", film, "--seconds", "0.5").stderr


def test_broken_video_is_reported_before_any_network_is_loaded(tmp_path, configs, capfd):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + b"\0" * 400)
    result = run("live", broken)
    assert result.exit_code == 2
    assert "damaged" in result.stderr
    assert configs == []
    capfd.readouterr()


def test_output_that_cannot_be_written_is_reported_before_any_network_is_loaded(
    film, configs, tmp_path
):
    for option, name in (("--out", "absent/a.mp4"), ("--csv", "absent/a.csv")):
        result = run("live", film, option, tmp_path / name)
        assert result.exit_code == 2, result.output
        assert str(tmp_path / name) in result.stderr
    assert configs == []


@pytest.mark.usefixtures("configs")
def test_interrupt_keeps_everything_so_far(film, monkeypatch, tmp_path):
    from core import FaceFollower

    real = FaceFollower.answer

    def answer(self, frame):
        if frame.time_s > 0.75:
            raise KeyboardInterrupt
        return real(self, frame)

    monkeypatch.setattr(FaceFollower, "answer", answer)
    rows, out = tmp_path / "rows.csv", tmp_path / "marked.mp4"
    result = run("live", film, "--every", 1, "--csv", rows, "--out", out)
    assert result.exit_code == 0, result.output
    assert len(list(csv.reader(io.StringIO(rows.read_text())))) == 9
    with open_video(out) as marked:
        assert len(list(marked.frames)) == 8


@pytest.mark.usefixtures("configs")
def test_analyze_names_this_command_for_a_video(film):
    result = run("analyze", film)
    assert result.exit_code == 2
    assert f"emotion live {film}" in result.stderr.replace("\n", "")


def test_csv_lists_the_answers_of_an_ensemble_s_networks(film, tmp_path, monkeypatch):
    monkeypatch.setattr(core.Analyzer, "from_config", classmethod(lambda *_: FakeEnsemble()))
    rows = tmp_path / "rows.csv"
    result = run("live", film, "--model", "ensemble", "--csv", rows)
    assert result.exit_code == 0, result.output
    with rows.open(encoding="utf-8", newline="") as file:
        first, *_ = csv.DictReader(file)
    assert first["agreement"] == "majority"
    assert first["per_model"].startswith("mobilenet_v2 happy 0.9")
    assert first["per_model"].count(";") == 2
