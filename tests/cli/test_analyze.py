"""`emotion analyze`: formats, exit codes, pictures beside the answers, names of every kind."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import core
from cli import main
from core import (
    Emotion,
    EmotionScores,
    InferenceError,
    WeightsMissing,
    document,
    read_image,
    to_csv,
    to_json,
)
from tests.fakes import FakeAnalyzer, picture, png

pytestmark = pytest.mark.usefixtures("made")

ONE = png(picture(Emotion.HAPPY))


def analyze(*arguments):
    return CliRunner().invoke(main.app, ["analyze", *map(str, arguments)])


def answer_to(path):
    return FakeAnalyzer().analyze(read_image(path))


def test_table_tells_a_person_what_was_found(photos):
    shown = analyze(photos["two.png"])
    assert shown.exit_code == 0
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert lines[0][:3] == ["Photo", "Face", "Emotion"]
    assert lines[1][:3] == ["two.png", "1", "sad"]
    assert [line[:5] for line in lines if line[0] == "2"] == [
        ["2", "not", "sure", "(fear?)", "31%"]
    ]
    assert shown.stderr == ""


def test_networks_of_an_ensemble_are_told_beside_its_answer(photos, monkeypatch):
    real = FakeAnalyzer.analyze

    def together(self, image):
        analysis = real(self, image)
        said = [EmotionScores(tuple(np.roll([0.9, *[0.1 / 6] * 6], at)), 0.4) for at in (3, 4, 3)]
        names = ("mobilenet_v2", "resnet50", "inception_v3")
        per_model = dict(zip(names, said, strict=True))
        faces = tuple(replace(face, per_model=per_model) for face in analysis.faces)
        return replace(analysis, faces=faces)

    assert "Networks" not in analyze(photos["one.png"]).stdout
    monkeypatch.setattr(FakeAnalyzer, "analyze", together)
    shown = analyze(photos["one.png"], photos["none.png"])
    assert shown.exit_code == 0
    assert "Networks" in shown.stdout
    assert "happy 2, sad 1" in " ".join(shown.stdout.split())
    (row,) = csv.DictReader(analyze(photos["one.png"], "--format", "csv").stdout.splitlines())
    assert row["agreement"] == "majority"
    assert row["per_model"] == "mobilenet_v2 happy 0.90; resnet50 sad 0.90; inception_v3 happy 0.90"


def test_photo_without_a_face_is_a_good_answer(photos):
    shown = analyze(photos["none.png"])
    assert shown.exit_code == 0
    assert "no face found" in shown.stdout


def test_json_is_the_library_s_document(photos):
    shown = analyze(photos["two.png"], "--format", "json")
    assert shown.exit_code == 0
    assert shown.stdout == to_json(answer_to(photos["two.png"]))


def test_json_of_several_photos_is_a_list_in_their_order(photos):
    order = ["two.png", "none.png", "one.png"]
    shown = analyze(*(photos[name] for name in order), "--format", "json")
    assert json.loads(shown.stdout) == [document(answer_to(photos[name])) for name in order]


def test_jsonl_has_a_line_a_photo(photos):
    shown = analyze(*photos.values(), "--format", "jsonl")
    lines = shown.stdout.splitlines()
    assert [json.loads(line) for line in lines] == [
        document(answer_to(path)) for path in photos.values()
    ]


def test_csv_is_the_library_s_table(photos):
    shown = analyze(*photos.values(), "--format", "csv")
    assert shown.stdout == to_csv([answer_to(path) for path in photos.values()])
    assert len(list(csv.reader(io.StringIO(shown.stdout)))) == 1 + 1 + 2 + 1


def test_analyzer_is_made_once_with_the_options_given(photos, made):
    options = ["--model", "resnet50", "--preset", "fast", "--device", "cpu", "--detector", "mtcnn"]
    levels = ["--certain-from", "0.9", "--detection-threshold", "0.7"]
    assert analyze(*photos.values(), *options, *levels).exit_code == 0
    (config,) = made
    assert (config.model, config.preset, config.device) == ("resnet50", "fast", "cpu")
    assert (config.certain_from, config.detection_threshold) == (0.9, 0.7)


def test_level_that_is_no_probability_is_told(photos):
    shown = analyze(photos["one.png"], "--certain-from", "90")
    assert shown.exit_code == 2
    assert "between 0 and 1" in shown.stderr


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_some_unreadable_photos_end_with_1_and_the_rest_is_answered(photos, tmp_path, form):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(ONE[:500])
    shown = analyze(broken, photos["one.png"], tmp_path / "absent.png", "--format", form)
    assert shown.exit_code == 1
    assert "one.png" in shown.stdout
    assert "happy" in shown.stdout
    assert "broken.jpg" not in shown.stdout
    assert f"{broken}: " in shown.stderr
    assert "absent.png: There is no such file." in shown.stderr
    assert "Traceback" not in shown.stderr


def test_one_readable_photo_of_several_is_still_a_list(photos, tmp_path):
    shown = analyze(photos["one.png"], tmp_path / "absent.png", "--format", "json")
    assert [each["name"] for each in json.loads(shown.stdout)] == ["one.png"]


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_no_readable_photo_ends_with_2_and_says_nothing_on_stdout(tmp_path, made, form):
    shown = analyze(tmp_path / "absent.png", tmp_path, "--format", form)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert made == []  # no network was loaded for nothing


@pytest.mark.parametrize(
    "arguments",
    [[], ["photo.png", "--format", "xml"], ["photo.png", "--model", "resnet51"], ["--model"]],
)
def test_wrong_usage_ends_with_2(arguments):
    shown = analyze(*arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")


def test_unknown_model_is_refused_with_those_there_are(photos):
    shown = analyze(photos["one.png"], "--model", "resnet51")
    assert "'resnet51' is not one of" in shown.stderr
    for name in core.model_names():
        assert f"'{name}'" in shown.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WeightsMissing("Not trained.", hint="emotion train"), 3),
        (InferenceError("No number.", hint="emotion doctor"), 4),
    ],
)
def test_error_of_a_network_becomes_its_exit_code(photos, monkeypatch, error, code):
    def fail(*_arguments):
        raise error

    monkeypatch.setattr(FakeAnalyzer, "analyze", fail)
    shown = analyze(photos["one.png"])
    assert shown.exit_code == code
    assert shown.stderr == f"Error: {error.message}\n{error.hint}\n"


NAMES = [
    "Grüße 你好 😀.png",
    "with [bold red]markup and [1, 2].png",
    "=HYPERLINK(1).png",
    "-rf.png",
    "spaces  and 'quotes\".png",
    "control\x1b[31m\x07\r.png",
    "line\nbreak.png",
    "right\u202eto left.png",
    os.fsdecode(b"caf\xe9.png"),
]


@pytest.fixture(params=NAMES, ids=lambda name: ascii(name)[:20])
def named(request, tmp_path):
    """A photo with a name that is hard to show."""
    path = tmp_path / request.param
    try:
        path.write_bytes(ONE)
    except OSError:
        pytest.skip("this file system refuses the name")
    return path


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_every_name_is_exact_in_json(named, form):
    shown = analyze(named, "--format", form)
    assert shown.exit_code == 0
    assert json.loads(shown.stdout_bytes.decode())["name"] == named.name


def test_every_name_can_be_written_as_csv_without_a_formula(named):
    shown = analyze(named, "--format", "csv")
    row = list(csv.reader(io.StringIO(shown.stdout_bytes.decode(), newline="")))[1]
    assert row[0][0] not in "=+-@"
    assert row[0].lstrip("'")[:3] == named.name[:3]


def test_every_name_is_shown_whole_without_control_characters(named):
    shown = analyze(named)
    assert shown.exit_code == 0
    assert all(sign.isprintable() or sign == "\n" for sign in shown.stdout)
    column = "".join(
        line[: shown.stdout.index("Face")].strip() for line in shown.stdout.splitlines()
    )
    assert "Photo" in column
    for part in ("[bold", "red]", "[1,", ".png"):
        assert (part in named.name) == (part in column)


def test_every_name_is_told_safely_in_an_error(named):
    named.write_bytes(ONE[:200])
    shown = analyze(named)
    assert shown.exit_code == 2
    assert all(sign.isprintable() or sign == "\n" for sign in shown.stderr)


def test_every_name_can_be_annotated(named, tmp_path):
    out = tmp_path / "out"
    shown = analyze(named, "--annotate", out)
    assert shown.exit_code == 0
    assert (out / f"{named.stem}.annotated.png").is_file()
    assert all(sign.isprintable() or sign == "\n" for sign in shown.stderr)


def test_long_name_is_not_cut_short_in_the_table(tmp_path):
    photo = tmp_path / ("a_long_name_without_any_space_" * 4 + ".png")
    photo.write_bytes(ONE)
    shown = analyze(photo)
    width = shown.stdout.index("Face")
    assert "".join(line[:width].strip() for line in shown.stdout.splitlines()[1:]) == photo.name


def test_progress_is_silent_in_a_pipe(photos):
    assert analyze(*photos.values()).stderr == ""


def test_progress_is_shown_on_a_terminal_for_several_photos(photos, monkeypatch):
    from cli.analyze import _with_progress

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    paths = list(photos.values())
    assert _with_progress(paths[:1], shown=True) == paths[:1]
    assert _with_progress(paths, shown=False) == paths
    assert list(_with_progress(paths, shown=True)) == paths
    assert "Reading photos" in sys.stderr.getvalue()


def test_each_line_is_written_as_soon_as_its_photo_is_answered(photos, monkeypatch):
    written = []
    monkeypatch.setattr("cli.analyze._write", written.append)
    behind = []
    real = FakeAnalyzer.analyze

    def watched(self, image):
        behind.append(len(written))
        return real(self, image)

    monkeypatch.setattr(FakeAnalyzer, "analyze", watched)
    analyze(*photos.values(), "--format", "jsonl")
    assert behind == [0, 1, 2]


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "table"])
def test_name_that_is_no_unicode_can_be_written(photos, monkeypatch, form):
    image = core.RgbImage(picture(Emotion.HAPPY), os.fsdecode(b"caf\xe9.png"))
    monkeypatch.setattr(core, "read_isolated", lambda _path: image)
    shown = analyze(photos["one.png"], "--format", form)
    assert shown.exit_code == 0
    assert "caf\\udce9.png" in shown.stdout_bytes.decode()
