"""`emotion analyze`: formats, exit codes, and file names of every kind."""

from __future__ import annotations

import csv
import io
import json
import os
import sys

import pytest
from typer.testing import CliRunner

import core
from cli import main
from core import (
    Emotion,
    InferenceError,
    WeightsMissing,
    document,
    read_image,
    to_csv,
    to_json,
)
from tests.fakes import FakeAnalyzer, picture, png

pytestmark = pytest.mark.usefixtures("configs")

ONE = png(picture(Emotion.HAPPY))


def analyze(*arguments):
    return CliRunner().invoke(main.app, ["analyze", *map(str, arguments)])


def analyze_directly(path):
    return FakeAnalyzer().analyze(read_image(path))


def test_folder_is_refused_with_the_command_for_it(tmp_path):
    result = analyze(tmp_path)
    assert result.exit_code == 2
    assert f"For a whole folder: emotion batch {tmp_path} --out results.csv\n" in result.stderr


@pytest.mark.parametrize("start", ["", "https://"])
def test_name_that_is_too_long_is_refused_in_words(photos, start):
    result = analyze(start + "a" * 5000, photos["one.png"])
    assert (result.exit_code, result.exception.__class__) == (1, SystemExit)
    assert ("This is an address" if start else "File name too long") in result.stderr


def test_address_is_refused_because_nothing_is_fetched(photos):
    result = analyze("https://example.org/face.jpg", photos["one.png"])
    assert result.exit_code == 1
    assert result.stderr.startswith("https://example.org/face.jpg: This is an address, and nothing")


def test_dash_reads_a_photo_from_standard_input(tmp_path):
    command = ["analyze", "-", "--format", "json", "--annotate", str(tmp_path)]
    result = CliRunner().invoke(main.app, command, input=ONE)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["name"] == "stdin"
    assert [path.name for path in tmp_path.iterdir()] == ["stdin.annotated.png"]
    result = CliRunner().invoke(main.app, ["analyze", "-"], input=b"")
    assert (result.exit_code, result.stderr) == (2, "stdin: The file is empty.\nChoose a photo.\n")


def test_wrong_name_is_refused_with_a_suggestion(photos):
    result = analyze(photos["one.png"], "--model", "resnet5")
    assert result.exit_code == 2
    assert "Invalid value for '--model': 'resnet5' is not one of 'mobilenet_v2'," in result.stderr
    assert "Did you mean 'resnet50'?" in result.stderr
    assert "Did you mean" not in analyze(photos["one.png"], "--model", "xyz").stderr


def test_json_is_the_library_s_document(photos):
    result = analyze(photos["two.png"], "--format", "json")
    assert result.exit_code == 0
    assert result.stdout == to_json(analyze_directly(photos["two.png"]))


def test_json_of_several_photos_is_a_list_in_the_given_order(photos):
    order = ["two.png", "none.png", "one.png"]
    result = analyze(*(photos[name] for name in order), "--format", "json")
    assert json.loads(result.stdout) == [document(analyze_directly(photos[name])) for name in order]


def test_jsonl_has_one_line_per_photo(photos):
    result = analyze(*photos.values(), "--format", "jsonl")
    lines = result.stdout.splitlines()
    assert [json.loads(line) for line in lines] == [
        document(analyze_directly(path)) for path in photos.values()
    ]


def test_csv_is_the_library_s_table(photos):
    result = analyze(*photos.values(), "--format", "csv")
    assert result.stdout == to_csv([analyze_directly(path) for path in photos.values()])
    assert len(list(csv.reader(io.StringIO(result.stdout[1:])))) == 1 + 1 + 2 + 1


def test_csv_has_a_row_for_each_file_that_cannot_be_read_in_the_given_order(photos, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(ONE[:500])
    files = (tmp_path / "absent.png", photos["one.png"], tmp_path / "broken.jpg", tmp_path)
    result = analyze(*files, "--format", "csv")
    assert result.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(result.stdout[1:])))
    assert [(row["path"], row["status"], row["error"]) for row in rows] == [
        ("absent.png", "failed", "UnreadableImage"),
        ("one.png", "face", ""),
        ("broken.jpg", "failed", "UnreadableImage"),
        (tmp_path.name, "failed", "UnreadableImage"),
    ]
    assert rows[0]["message"] == "There is no such file."
    assert len({row["run"] for row in rows}) == 1


def test_csv_of_files_none_of_which_can_be_read_lists_them_and_ends_with_2(tmp_path, configs):
    result = analyze(tmp_path / "absent.png", "--format", "csv")
    assert result.exit_code == 2
    (row,) = csv.DictReader(io.StringIO(result.stdout[1:]))
    assert (row["path"], row["status"], row["run"]) == ("absent.png", "failed", "")
    assert configs == []  # no network was loaded


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_reading_reaches_every_format(photos, form):
    for reading in ("people", "fer2013"):
        text = analyze(photos["one.png"], "--reading", reading, "--format", form).stdout
        if form == "csv":
            (row,) = csv.DictReader(io.StringIO(text[1:]))
            assert row["reading"] == reading
            continue
        record = json.loads(text)
        assert record["provenance"]["reading"] == reading
        assert list(record["faces"][0]["readings"]) == ["people", "fer2013"]


def test_analyzer_is_made_once_with_the_given_options(photos, configs):
    options = ["--model", "resnet50", "--preset", "fast", "--device", "cpu", "--detector", "mtcnn"]
    thresholds = ["--certain-from", "0.9", "--detection-threshold", "0.7"]
    assert analyze(*photos.values(), *options, *thresholds).exit_code == 0
    (config,) = configs
    assert (config.model, config.preset, config.device) == ("resnet50", "fast", "cpu")
    assert (config.certain_from, config.detection_threshold) == (0.9, 0.7)


def test_threshold_that_is_not_a_probability_is_refused(photos):
    result = analyze(photos["one.png"], "--certain-from", "90")
    assert result.exit_code == 2
    assert "between 0 and 1" in result.stderr


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_some_unreadable_photos_end_with_1_and_the_rest_is_analyzed(photos, tmp_path, form):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(ONE[:500])
    result = analyze(broken, photos["one.png"], tmp_path / "absent.png", "--format", form)
    assert result.exit_code == 1
    assert "one.png" in result.stdout
    assert "happy" in result.stdout
    assert ("broken.jpg" in result.stdout) == (form == "csv")
    assert f"{broken}: " in result.stderr
    assert "absent.png: There is no such file." in result.stderr
    assert "Traceback" not in result.stderr


def test_json_of_one_readable_photo_of_several_is_still_a_list(photos, tmp_path):
    result = analyze(photos["one.png"], tmp_path / "absent.png", "--format", "json")
    assert [record["name"] for record in json.loads(result.stdout)] == ["one.png"]


@pytest.mark.parametrize("form", ["table", "json", "jsonl"])
def test_no_readable_photo_ends_with_2_and_prints_nothing_to_stdout(tmp_path, configs, form):
    result = analyze(tmp_path / "absent.png", tmp_path, "--format", form)
    assert (result.exit_code, result.stdout) == (2, "")
    assert configs == []  # no network was loaded


@pytest.mark.parametrize(
    "arguments",
    [[], ["photo.png", "--format", "xml"], ["photo.png", "--model", "resnet51"], ["--model"]],
)
def test_wrong_usage_ends_with_2(arguments):
    result = analyze(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_unknown_model_is_refused_with_the_list_of_models(photos):
    result = analyze(photos["one.png"], "--model", "resnet51")
    assert "'resnet51' is not one of" in result.stderr
    for name in core.model_names():
        assert f"'{name}'" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WeightsMissing("Not trained.", hint="emotion train"), 3),
        (InferenceError("No number.", hint="emotion doctor"), 4),
    ],
)
def test_error_of_a_network_sets_the_exit_code(photos, monkeypatch, error, code):
    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(FakeAnalyzer, "analyze", fail)
    result = analyze(photos["one.png"])
    assert result.exit_code == code
    assert result.stderr == f"Error: {error.message}\n{error.hint}\n"


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
def odd_photo(request, tmp_path):
    """A photo with a name that is hard to print."""
    path = tmp_path / request.param
    try:
        path.write_bytes(ONE)
    except OSError:
        pytest.skip("this file system refuses the name")
    return path


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_every_name_is_exact_in_json(odd_photo, form):
    result = analyze(odd_photo, "--format", form)
    assert result.exit_code == 0
    assert json.loads(result.stdout_bytes.decode())["name"] == odd_photo.name


def test_no_name_is_a_formula_in_csv(odd_photo):
    result = analyze(odd_photo, "--format", "csv")
    row = list(csv.reader(io.StringIO(result.stdout_bytes.decode(), newline="")))[1]
    assert row[0][0] not in "=+-@"
    assert row[0].lstrip("'")[:3] == odd_photo.name[:3]


def test_every_name_is_printed_completely_without_control_characters(odd_photo):
    result = analyze(odd_photo)
    assert result.exit_code == 0
    assert all(char.isprintable() or char == "\n" for char in result.stdout)
    table, _ = result.stdout.split("\n\n")
    column = "".join(line[: table.index("Face")].strip() for line in table.splitlines())
    assert "Photo" in column
    for part in ("[bold", "red]", "[1,", ".png"):
        assert (part in odd_photo.name) == (part in column)


def test_every_name_is_printed_safely_in_an_error(odd_photo):
    odd_photo.write_bytes(ONE[:200])
    result = analyze(odd_photo)
    assert result.exit_code == 2
    assert all(char.isprintable() or char == "\n" for char in result.stderr)


def test_name_with_line_breaks_does_not_look_like_several_messages(tmp_path):
    photo = tmp_path / "a\nb.png: happy 99 %.png"
    try:
        photo.write_bytes(ONE)
    except OSError:
        pytest.skip("this file system refuses the name")
    good = analyze(photo, "--annotate", tmp_path / "out")
    photo.write_bytes(ONE[:200])
    bad = analyze(photo)
    printed = [*good.stdout.splitlines(), *good.stderr.splitlines(), *bad.stderr.splitlines()]
    assert sum("a\\nb.png: happy" in line for line in printed) == 3
    assert not [line for line in printed if line.startswith("b.png")]


def test_every_name_can_be_annotated(odd_photo, tmp_path):
    out = tmp_path / "out"
    result = analyze(odd_photo, "--annotate", out)
    assert result.exit_code == 0
    assert (out / f"{odd_photo.stem}.annotated.png").is_file()
    assert all(char.isprintable() or char == "\n" for char in result.stderr)


def test_long_name_is_not_cut_short_in_the_table(tmp_path):
    photo = tmp_path / ("a_long_name_without_any_space_" * 4 + ".png")
    photo.write_bytes(ONE)
    result = analyze(photo)
    table, _ = result.stdout.split("\n\n")
    width = table.index("Face")
    assert "".join(line[:width].strip() for line in table.splitlines()[1:]) == photo.name


def test_progress_is_silent_in_a_pipe(photos):
    assert analyze(*photos.values()).stderr == ""


def test_progress_is_shown_on_a_terminal_for_several_photos(photos, monkeypatch):
    from cli.analyze import _with_progress

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    paths = list(photos.values())
    assert _with_progress(paths[:1], wanted=True) == paths[:1]
    assert _with_progress(paths, wanted=False) == paths
    assert list(_with_progress(paths, wanted=True)) == paths
    assert "Reading photos" in sys.stderr.getvalue()


def test_each_line_is_written_as_soon_as_its_photo_is_analyzed(photos, monkeypatch):
    written = []
    monkeypatch.setattr("cli.analyze._write", written.append)
    lines_before = []
    real = FakeAnalyzer.analyze

    def analyze_and_count(self, image, **options):
        lines_before.append(len(written))
        return real(self, image, **options)

    monkeypatch.setattr(FakeAnalyzer, "analyze", analyze_and_count)
    analyze(*photos.values(), "--format", "jsonl")
    assert lines_before == [0, 1, 2]


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "table"])
def test_name_that_is_not_unicode_can_be_written(photos, monkeypatch, form):
    image = core.RgbImage(picture(Emotion.HAPPY), os.fsdecode(b"caf\xe9.png"))
    monkeypatch.setattr(core, "read_image", lambda _path: image)
    result = analyze(photos["one.png"], "--format", form)
    assert result.exit_code == 0
    assert "caf\\udce9.png" in result.stdout_bytes.decode()


def test_photo_is_turned_by_hand(photos):
    as_it_is, turned = (
        json.loads(analyze(photos["none.png"], "--format", "json", "--turn", turn).stdout)
        for turn in ("auto", "270")
    )
    assert (as_it_is["turned"], turned["turned"]) == (0, 270)
    assert (turned["width"], turned["height"]) == (as_it_is["height"], as_it_is["width"])
    assert analyze(photos["none.png"], "--turn", "45").exit_code == 2
