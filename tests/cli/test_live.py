"""`emotion live` on a generated video, with a fake analyzer."""

from __future__ import annotations

import csv
import io
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import core
from cli.main import app
from cli.stopping import handle_stop_signals
from cli.timeline import print_film_table
from core import (
    EMOTIONS,
    Emotion,
    FaceFollower,
    FilmSummary,
    Frame,
    Reading,
    RgbImage,
    is_video,
    open_video,
    video_writer,
)
from tests.fakes import FakeAnalyzer, FakeEnsemble, picture, png
from tests.films import damage, make_film


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
    with rows.open(encoding="utf-8-sig", newline="") as file:
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
    with rows.open(encoding="utf-8-sig", newline="") as file:
        (of_frame,) = csv.DictReader(file)
    of_photo = run("analyze", photo, "--preset", "fast", "--format", "csv").stdout
    (of_photo,) = csv.DictReader(io.StringIO(of_photo[1:], newline=""))
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
    with rows.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["path"], row["time_s"]) for row in table] == [("'=film.mp4", "0.1")]


def test_reading_reaches_the_analyzer_the_rows_and_the_table(film, tmp_path, configs):
    rows = tmp_path / "rows.csv"
    result = run("live", film, "--reading", "fer2013", "--csv", rows)
    assert [config.reading for config in configs] == ["fer2013"]
    with rows.open(encoding="utf-8-sig", newline="") as file:
        assert {row["reading"] for row in csv.DictReader(file)} == {"fer2013"}
    assert "Answers: the most likely label of FER-2013" in result.stdout


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


SIGNALS = [signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGHUP", None)])]


def send_at(monkeypatch, number, second, times=1):
    """Send a signal to this process while the frame at ``second`` is answered."""
    real = FaceFollower.answer

    def answer(self, frame, **options):
        if frame.time_s >= second - 1e-6:
            for _ in range(times):
                os.kill(os.getpid(), number)
        return real(self, frame)

    monkeypatch.setattr(FaceFollower, "answer", answer)


@pytest.mark.usefixtures("configs")
@pytest.mark.parametrize("number", SIGNALS)
def test_signal_keeps_everything_so_far(film, monkeypatch, tmp_path, number):
    send_at(monkeypatch, number, 0.7)
    before = [signal.getsignal(each) for each in SIGNALS]
    folder = tmp_path / "out"
    folder.mkdir()
    rows, out, plot = (folder / name for name in ("rows.csv", "marked.mp4", "plot.png"))
    result = run("live", film, "--every", 1, "--csv", rows, "--out", out, "--plot", plot)
    assert result.exit_code == 0, result.output
    assert "Stopped." in result.stderr
    assert len(list(csv.reader(io.StringIO(rows.read_text())))) == 9
    with open_video(out) as marked:
        assert len(list(marked.frames)) == 8
    assert sorted(folder.iterdir()) == sorted([rows, out, plot])
    assert [signal.getsignal(each) for each in SIGNALS] == before


@pytest.mark.usefixtures("configs")
def test_second_signal_ends_at_once_and_leaves_nothing_hidden(film, monkeypatch, tmp_path):
    send_at(monkeypatch, signal.SIGTERM, 0.7, times=2)
    folder = tmp_path / "out"
    folder.mkdir()
    result = run("live", film, "--csv", folder / "rows.csv", "--out", folder / "marked.mp4")
    assert result.exit_code == 130
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("configs")
def test_signal_while_the_networks_load_leaves_nothing(film, monkeypatch, tmp_path):
    def load(_):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(core.Analyzer, "from_config", load)
    folder = tmp_path / "out"
    folder.mkdir()
    result = run("live", film, "--csv", folder / "rows.csv", "--out", folder / "marked.mp4")
    assert result.exit_code == 130
    assert list(folder.iterdir()) == []


def test_hangup_that_the_user_ignores_is_ignored():
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with handle_stop_signals(pytest.fail):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, previous)


@pytest.mark.usefixtures("configs")
@pytest.mark.parametrize("option", ["--out", "--csv", "--plot"])
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_video_is_never_written_over(film, tmp_path, option, overwrite, configs):
    content = film.read_bytes()
    ending = {"--out": ".mp4", "--csv": ".csv", "--plot": ".png"}[option]
    same = tmp_path / f"same{ending}"
    os.link(film, same)
    result = run("live", film, option, same, *overwrite)
    assert result.exit_code == 2
    assert f"{option} would overwrite the input" in result.stderr
    assert film.read_bytes() == same.read_bytes() == content
    assert configs == []


@pytest.mark.usefixtures("configs")
def test_own_results_are_replaced_and_other_files_kept(film, tmp_path):
    names = {"--out": "marked.mp4", "--csv": "rows.csv", "--plot": "plot.svg"}
    options = [part for option, name in names.items() for part in (option, tmp_path / name)]
    assert run("live", film, *options).exit_code == 0
    again = run("live", film, *options)
    assert again.exit_code == 0, again.output
    for option, name in names.items():
        (tmp_path / name).write_bytes(b"a file of the user")
        result = run("live", film, option, tmp_path / name)
        assert result.exit_code == 2
        assert "--overwrite" in result.stderr
        assert (tmp_path / name).read_bytes() == b"a file of the user"
        assert run("live", film, option, tmp_path / name, "--overwrite").exit_code == 0


@pytest.mark.parametrize("name", ["p.xyz", "p", "absent/p.png"])
def test_name_of_the_plot_is_checked_first(film, tmp_path, configs, name):
    result = run("live", film, "--plot", tmp_path / name, "--csv", tmp_path / "rows.csv")
    assert result.exit_code == 2
    assert "--plot" in result.stderr
    assert configs == []
    assert not (tmp_path / "rows.csv").exists()


@pytest.mark.usefixtures("configs")
def test_damage_is_said_and_costs_the_exit_code(tmp_path):
    pictures = [picture(Emotion.HAPPY, side=120)] * 40
    film = make_film(tmp_path / "film.mp4", pictures, options={"g": "5", "qp": "4"})
    result = run("live", damage(film, count=film.stat().st_size // 10))
    assert result.exit_code == 1, result.output
    assert "of about 40 frames could not be read" in result.stderr
    assert "happy" in result.stdout


@pytest.mark.usefixtures("configs")
def test_film_of_a_phone_has_an_upright_marked_film_at_its_own_speed(tmp_path):
    pictures = [picture(Emotion.HAPPY, side=120)] * 6
    times = [0.0, 0.1, 0.9, 1.0, 1.1, 3.0]
    film = make_film(tmp_path / "film.mp4", pictures, turned=90, times=times, rate=1000)
    out, rows = tmp_path / "marked.mp4", tmp_path / "rows.csv"
    assert run("live", film, "--out", out, "--csv", rows).exit_code == 0
    with open_video(out) as marked, open_video(film) as plain:
        assert (marked.width, marked.height) == (plain.width, plain.height)
        assert [each.time_s for each in marked.frames] == pytest.approx(times, abs=2e-3)
    with rows.open(encoding="utf-8-sig", newline="") as file:
        shown = [float(row["time_s"]) for row in csv.DictReader(file)]
    assert shown == pytest.approx(times, abs=2e-3)


def test_options_of_analyze_reach_the_analyzer(film, configs):
    options = ["--preset", "thorough", "--operating-point", "recall", "--certain-from", "0.7"]
    result = run("live", film, *options, "--detection-threshold", "0.4", "--seconds", "0.1")
    assert result.exit_code == 0, result.output
    (config,) = configs
    assert (config.preset, config.operating_point) == ("thorough", "recall")
    assert (config.certain_from, config.detection_threshold) == (0.7, 0.4)


def make_answer(faces, time_s):
    """Return a frame and an answer in which the given faces are seen."""
    analysis = FakeAnalyzer().analyze(RgbImage(picture(Emotion.HAPPY, side=120)))
    one = analysis.faces[0]
    shown = tuple(replace(one, index=index) for index in faces)
    return Frame(RgbImage(np.zeros((2, 2, 3), np.uint8)), time_s), replace(analysis, faces=shown)


def test_table_of_many_faces_lists_those_seen_longest(capsys):
    summary = FilmSummary(Reading.PEOPLE)
    for number in range(60):
        summary.add(*make_answer([number], number))
    print_film_table(summary)
    assert "and 20 more faces" in capsys.readouterr().out


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
    with rows.open(encoding="utf-8-sig", newline="") as file:
        first, *_ = csv.DictReader(file)
    assert first["agreement"] == "majority"
    assert first["per_model"].startswith("mobilenet_v2 happy 0.9")
    assert first["per_model"].count(";") == 2
