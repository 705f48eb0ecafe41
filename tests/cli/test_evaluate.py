"""`emotion evaluate`: options reach the library, and the figures are printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import main
from training.reporting.evaluation import Evaluation

FIGURES = {
    "n": 3589,
    "ece_uncalibrated": 0.07,
    "certain": {"from": 0.5, "coverage": 0.75, "accuracy": 0.8},
    "deduplicated": None,
}
for _name, _value in (
    ("accuracy", 0.701),
    ("balanced_accuracy", 0.66),
    ("macro_f1", 0.665),
    ("ece", 0.02),
):
    FIGURES[_name] = _value
    FIGURES[f"{_name}_interval"] = [_value - 0.01, _value + 0.02]


@pytest.fixture
def emotion(monkeypatch):
    calls = []
    figures = dict(FIGURES)
    pairs = []

    def evaluate_models(sources, split, directory, **options):
        calls.append({"sources": sources, "split": split, "out": directory, **options})
        cards = (Path("weights/mobilenet_v2.md"),) if options["record"] else ()
        skipped = ("a.png: It is cut off.",)
        rows = [("accuracy, %", "70.1 (69.1 to 72.1)")]
        return Evaluation({"mobilenet_v2": figures}, rows, pairs, skipped, cards)

    monkeypatch.setattr("training.reporting.evaluation.evaluate_models", evaluate_models)

    def run(*arguments):
        required = ("--data", "faces.zip", "--out", "out")
        return CliRunner().invoke(main.app, ["evaluate", *required, *arguments])

    run.calls, run.pairs = calls, pairs
    return run


def test_comparisons_of_models_are_printed(emotion):
    assert "McNemar" not in emotion("--split", "validation").stdout
    emotion.pairs += [
        ("accuracy compared", "difference in points", "McNemar p"),
        ("resnet50 against mobilenet_v2", "+2.1 (+0.4 to +3.8)", "0.012"),
    ]
    stdout = emotion("--split", "validation").stdout
    lines = [" ".join(line.split()) for line in stdout.splitlines()]
    assert "accuracy compared difference in points McNemar p" in lines
    assert "resnet50 against mobilenet_v2 +2.1 (+0.4 to +3.8) 0.012" in lines


def test_figures_are_printed_with_their_intervals(emotion):
    result = emotion("--split", "validation")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[:3] == [
        "On validation mobilenet_v2",
        "faces 3,589",
        "accuracy, % 70.1 (69.1 to 72.1)",
    ]
    assert "a.png: It is cut off." in result.stderr


def test_defaults_are_every_trained_model_and_the_shipped_weights(emotion):
    emotion("--split", "validation")
    (call,) = emotion.calls
    assert call == {
        "sources": [Path("faces.zip")],
        "split": "validation",
        "out": Path("out"),
        "models": (),
        "weights_dir": None,
        "votes": None,
        "labels": None,
        "record": False,
        "speed": False,
        "device": "auto",
    }


def test_every_option_reaches_the_library(emotion):
    arguments = "--split train --model resnet50 --weights w --votes v.csv --record --device cpu"
    result = emotion(*arguments.split(), "--data", "b")
    (call,) = emotion.calls
    assert call["sources"] == [Path("faces.zip"), Path("b")]
    assert (call["models"], call["weights_dir"]) == (("resnet50",), Path("w"))
    assert (call["votes"], call["record"], call["device"]) == (Path("v.csv"), True, "cpu")
    assert "weights/mobilenet_v2.md" in result.stdout.replace("\\", "/")


def test_all_splits_and_other_labels_can_be_used(emotion):
    emotion("--split", "all", "--labels", "l.csv")
    (call,) = emotion.calls
    assert (call["split"], call["labels"]) == (None, Path("l.csv"))


@pytest.fixture
def evaluate_photos(monkeypatch):
    calls = []
    figures = {"n": 30, "certain": None, "certain_accuracy": None, "per_class": {}}
    for name, value in (
        ("coverage", 0.9),
        ("accuracy", 0.7),
        ("accuracy_of_found", 0.78),
        ("accuracy_in_life", 0.84),
    ):
        figures |= {name: value, f"{name}_interval": [value - 0.1, value + 0.1]}
    figures["per_class"]["sad"] = {"n": 10, "found": 8, "right": 4}
    by_label = {**figures, "accuracy": 0.5, "accuracy_interval": [0.4, 0.6]}
    readings = {"people": figures, "fer2013": by_label}
    report = {"models": {"mobilenet_v2": readings}, "unlabelled": {"photos": 6, "faces": 20}}

    def fake_evaluation(photos, directory, **options):
        calls.append({"photos": photos, "out": directory, **options})
        return report, ("a.png: It is cut off.",)

    monkeypatch.setattr("training.evaluation.photos.evaluate_photos", fake_evaluation)

    def run(line):
        return CliRunner().invoke(main.app, ["evaluate", "--out", "out", *line.split()])

    run.calls = calls
    return run


def test_figures_of_whole_photos_include_faces_that_were_not_found(evaluate_photos):
    result = evaluate_photos("--photos p.zip --model mobilenet_v2 --labels l.csv --detector mtcnn")
    assert result.exit_code == 0
    (call,) = evaluate_photos.calls
    assert (call["photos"], call["out"]) == (Path("p.zip"), Path("out"))
    assert call["models"] == ("mobilenet_v2",)
    assert (call["labels"], call["detector"]) == (Path("l.csv"), "mtcnn")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "a face found 90.0% (80.0% to 100.0%)" in lines
    assert "right 70.0% (60.0% to 80.0%)" in lines
    assert "answers given -" in lines
    assert "right 50.0% (40.0% to 60.0%)" in lines
    assert "the same, each emotion as frequent as in life 84.0% (74.0% to 94.0%)" in lines
    assert lines.count("sad 4 of 8 found") == 2
    assert "6 more photos have no label" in result.stdout
    assert "a.png: It is cut off." in result.stderr


@pytest.mark.parametrize("line", ["", "--data a", "--photos p --data a", "--photos p --record"])
def test_either_faces_or_photos_must_be_given(evaluate_photos, line):
    result = evaluate_photos(line)
    assert result.exit_code == 2
    assert "--photos" in result.stderr
    assert not evaluate_photos.calls


def test_test_split_prints_a_warning(emotion):
    assert (
        emotion("--split", "test")
        .stderr.splitlines()[0]
        .startswith("Use the test split only for one")
    )
    assert "test split" not in emotion("--split", "validation").stderr


@pytest.mark.parametrize("arguments", [[], ["--split", "dev"], ["--split", "test", "--model", "x"]])
def test_split_and_model_are_checked(emotion, arguments):
    assert emotion(*arguments).exit_code == 2
    assert emotion.calls == []
