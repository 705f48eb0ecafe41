"""`emotion evaluate` and `emotion calibrate`, from the command line to the library."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import training
from cli import main
from training.evaluation.evaluate import Evaluation

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
    told = dict(FIGURES)
    pairs = []

    def evaluate_models(sources, split, directory, **options):
        calls.append({"sources": sources, "split": split, "out": directory, **options})
        cards = (Path("weights/mobilenet_v2.md"),) if options["record"] else ()
        skipped = ("a.png: It is cut off.",)
        rows = [("accuracy, %", "70.1 (69.1 to 72.1)")]
        return Evaluation(directory, {"mobilenet_v2": told}, rows, pairs, skipped, cards)

    monkeypatch.setitem(vars(training), "evaluate_models", evaluate_models)

    def run(*arguments):
        required = ("--data", "faces.zip", "--out", "out")
        return CliRunner().invoke(main.app, ["evaluate", *required, *arguments])

    run.calls, run.told, run.pairs = calls, told, pairs
    return run


def test_models_are_shown_against_each_other(emotion):
    assert "McNemar" not in emotion("--split", "validation").stdout
    emotion.pairs += [
        ("accuracy compared", "difference in points", "McNemar p"),
        ("resnet50 against mobilenet_v2", "+2.1 (+0.4 to +3.8)", "0.012"),
    ]
    lines = emotion("--split", "validation").stdout.splitlines()
    told = [" ".join(line.split()) for line in lines]
    assert "accuracy compared difference in points McNemar p" in told
    assert "resnet50 against mobilenet_v2 +2.1 (+0.4 to +3.8) 0.012" in told


def test_figures_are_shown_with_their_intervals(emotion):
    shown = emotion("--split", "validation")
    assert shown.exit_code == 0
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert lines[:3] == [
        "On validation mobilenet_v2",
        "faces 3,589",
        "accuracy, % 70.1 (69.1 to 72.1)",
    ]
    assert "a.png: It is cut off." in shown.stderr


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


def test_every_option_arrives(emotion):
    arguments = "--split train --model resnet50 --weights w --votes v.csv --record --device cpu"
    shown = emotion(*arguments.split(), "--data", "b")
    (call,) = emotion.calls
    assert call["sources"] == [Path("faces.zip"), Path("b")]
    assert (call["models"], call["weights_dir"]) == (("resnet50",), Path("w"))
    assert (call["votes"], call["record"], call["device"]) == (Path("v.csv"), True, "cpu")
    assert "weights/mobilenet_v2.md" in shown.stdout.replace("\\", "/")


def test_all_splits_and_labels_of_one_s_own_can_be_asked_for(emotion):
    emotion("--split", "all", "--labels", "l.csv")
    (call,) = emotion.calls
    assert (call["split"], call["labels"]) == (None, Path("l.csv"))


@pytest.fixture
def on_photos(monkeypatch):
    calls = []
    figures = {"n": 30, "certain": None, "certain_accuracy": None, "per_class": {}}
    for name, value in (("coverage", 0.9), ("accuracy", 0.7), ("accuracy_of_found", 0.78)):
        figures |= {name: value, f"{name}_interval": [value - 0.1, value + 0.1]}
    figures["per_class"]["sad"] = {"n": 10, "found": 8, "right": 4}
    report = {"models": {"mobilenet_v2": figures}, "unlabelled": {"photos": 6, "faces": 20}}

    def evaluate_photos(photos, directory, **options):
        calls.append({"photos": photos, "out": directory, **options})
        return training.PhotoEvaluation(directory, report, ("a.png: It is cut off.",))

    monkeypatch.setitem(vars(training), "evaluate_photos", evaluate_photos)

    def run(line):
        return CliRunner().invoke(main.app, ["evaluate", "--out", "out", *line.split()])

    run.calls = calls
    return run


def test_whole_photos_are_measured_with_what_was_not_found(on_photos):
    shown = on_photos("--photos p.zip --model mobilenet_v2 --labels l.csv --detector mtcnn")
    assert shown.exit_code == 0
    (call,) = on_photos.calls
    assert (call["photos"], call["out"]) == (Path("p.zip"), Path("out"))
    assert call["models"] == ("mobilenet_v2",)
    assert (call["labels"], call["detector"]) == (Path("l.csv"), "mtcnn")
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert "a face found 90.0% (80.0% to 100.0%)" in lines
    assert "right 70.0% (60.0% to 80.0%)" in lines
    assert "certain -" in lines
    assert "sad 4 of 10" in lines
    assert "6 photos without a label" in shown.stdout
    assert "a.png: It is cut off." in shown.stderr


@pytest.mark.parametrize("line", ["", "--data a", "--photos p --data a", "--photos p --record"])
def test_faces_or_photos_must_be_given_and_not_both(on_photos, line):
    shown = on_photos(line)
    assert shown.exit_code == 2
    assert "--photos" in shown.stderr
    assert not on_photos.calls


def test_test_split_comes_with_a_warning_of_one_line(emotion):
    assert emotion("--split", "test").stderr.splitlines()[0].startswith("A test split is for one")
    assert "A test split" not in emotion("--split", "validation").stderr


@pytest.mark.parametrize("arguments", [[], ["--split", "dev"], ["--split", "test", "--model", "x"]])
def test_split_and_model_are_checked(emotion, arguments):
    assert emotion(*arguments).exit_code == 2
    assert emotion.calls == []
