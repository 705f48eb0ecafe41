"""`emotion calibrate`: options reach the library, and the result is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import main
from core import ConfigError
from training.evaluation.calibrate import CalibrationReport


class FakeCalibration:
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
        calibration = FakeCalibration()
        if options["target_accuracy"] == 1:
            calibration.selective_accuracy = None
        return CalibrationReport(
            calibration,
            3589,
            0.9,
            0.85,
            0.07,
            0.02,
            {"mobilenet_v2": 0.7, "resnet50": 0.3} if options["model"] == "ensemble" else {},
        )

    monkeypatch.setattr("training.evaluation.calibrate.calibrate_model", calibrate_model)

    def run(*arguments):
        return CliRunner().invoke(main.app, ["calibrate", "--data", "faces.zip", *arguments])

    run.calls = calls
    return run


def test_defaults_and_options_reach_the_library(emotion):
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


def test_figures_before_and_after_are_printed(emotion):
    result = emotion("--publish", "shipped")
    assert result.exit_code == 0
    for part in (
        "3,589 faces",
        "0.900",
        "0.850",
        "7.0%",
        "2.0%",
        "1.234",
        "smoothing removed",
        "8%",
    ):
        assert part in result.stdout
    assert "The level is 0.550: 70.0% of the faces reach it, 81.0% of those right." in result.stdout
    assert "Published to shipped." in result.stdout


def test_shares_of_the_ensemble_are_printed(emotion):
    lines = emotion("--model", "ensemble").stdout.splitlines()
    (share,) = (line for line in lines if "share of resnet50" in line)
    assert share.index("50%") < share.index("30%")
    assert "share of" not in emotion().stdout


def test_unreachable_target_is_reported(emotion):
    assert "No level reaches 100%" in emotion("--target-accuracy", "1").stdout


def test_error_is_printed_with_its_hint(emotion):
    result = emotion("--target-accuracy", "2")
    assert result.exit_code == 2
    assert result.stderr == "Error: The target accuracy is wrong.\nLower it.\n"
