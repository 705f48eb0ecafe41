"""`emotion calibrate`: parsed, called once, told."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import training
from cli import main
from core import ConfigError
from training.evaluation.calibrate import CalibrationReport


class Fitted:
    smoothing = 0.08
    temperature = 1.234
    certain_from = 0.55
    coverage = 0.7
    selective_accuracy = 0.81


@pytest.fixture
def emotion(monkeypatch):
    calls = []

    def calibrate_model(sources, **options):
        calls.append({"sources": sources, **options})
        if options["target_accuracy"] > 1:
            raise ConfigError("The target accuracy is wrong.", hint="Lower it.")
        fitted = Fitted()
        if options["target_accuracy"] == 1:
            fitted.selective_accuracy = None
        return CalibrationReport(
            options["model"],
            fitted,
            3589,
            0.9,
            0.85,
            0.07,
            0.02,
            options["publish_to"],
            {"mobilenet_v2": 0.7, "resnet50": 0.3} if options["model"] == "ensemble" else {},
        )

    monkeypatch.setitem(vars(training), "calibrate_model", calibrate_model)

    def run(*arguments):
        return CliRunner().invoke(main.app, ["calibrate", "--data", "faces.zip", *arguments])

    run.calls = calls
    return run


def test_defaults_and_options_arrive(emotion):
    emotion()
    options = "--model resnet50 --weights w --target-accuracy .9 --publish p --device cpu"
    emotion(*options.split())
    assert emotion.calls == [
        {
            "sources": [Path("faces.zip")],
            "model": "mobilenet_v2",
            "weights_dir": None,
            "target_accuracy": 0.8,
            "publish_to": None,
            "device": "auto",
        },
        {
            "sources": [Path("faces.zip")],
            "model": "resnet50",
            "weights_dir": Path("w"),
            "target_accuracy": 0.9,
            "publish_to": Path("p"),
            "device": "cpu",
        },
    ]


def test_what_changed_is_told(emotion):
    shown = emotion("--publish", "shipped")
    assert shown.exit_code == 0
    for part in ("3,589 faces", "0.900", "0.850", "7.0%", "2.0%", "1.234", "taken out", "8%"):
        assert part in shown.stdout
    assert "Certain from a probability of 0.550: 70.0% of the faces, 81.0% of those right." in (
        shown.stdout
    )
    assert "Published in shipped." in shown.stdout


def test_shares_of_the_ensemble_are_told(emotion):
    lines = emotion("--model", "ensemble").stdout.splitlines()
    (share,) = (line for line in lines if "share of resnet50" in line)
    assert share.index("50%") < share.index("30%")
    assert "share of" not in emotion().stdout


def test_target_out_of_reach_is_told(emotion):
    assert "No level reaches 100%" in emotion("--target-accuracy", "1").stdout


def test_refusal_is_a_message_with_a_hint(emotion):
    shown = emotion("--target-accuracy", "2")
    assert shown.exit_code == 2
    assert shown.stderr == "Error: The target accuracy is wrong.\nLower it.\n"
