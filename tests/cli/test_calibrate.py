"""`emotion calibrate`: options reach the library, and the result is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import main
from core import ConfigError, Reading
from training.evaluation.calibrate import CalibrationData, CalibrationReport, ReadingReport


class FakeCalibration:
    smoothing = 0.08
    crowd_share = 0.0
    temperature = 1.234
    certain_from = 0.55
    coverage = 0.7
    selective_accuracy = 0.81


@pytest.fixture
def emotion(monkeypatch):
    calls = []

    def calibrate_model(data, **options):
        calls.append({"data": data, **options})
        target = options["target_accuracy"][Reading.PEOPLE]
        if target > 1:
            raise ConfigError("The target accuracy is wrong.", hint="Lower it.")
        people, labels = FakeCalibration(), FakeCalibration()
        people.crowd_share = 0.75
        if target == 1:
            people.selective_accuracy = None
        return CalibrationReport(
            {
                Reading.FER2013: ReadingReport(labels, 3589, 0.9, 0.85, 0.07, 0.02),
                Reading.PEOPLE: ReadingReport(people, 3412, 0.7, 0.65, 0.05, 0.01),
            },
            {"mobilenet_v2": 0.7, "resnet50": 0.3} if options["model"] == "ensemble" else {},
        )

    monkeypatch.setattr("training.evaluation.calibrate.calibrate_model", calibrate_model)

    def run(*arguments):
        return CliRunner().invoke(main.app, ["calibrate", "--data", "faces.zip", *arguments])

    run.calls = calls
    return run


def test_defaults_and_options_reach_the_library(emotion):
    emotion()
    options = (
        "--model resnet50 --weights w --votes v.csv --photos p.zip --target-accuracy .95 "
        "--label-target-accuracy .7 --publish p --device cpu"
    )
    emotion(*options.split())
    assert emotion.calls == [
        {
            "data": CalibrationData([Path("faces.zip")]),
            "model": "mobilenet_v2",
            "weights_dir": None,
            "target_accuracy": {"people": 0.9, "fer2013": 0.8},
            "publish_to": None,
            "device": "auto",
        },
        {
            "data": CalibrationData([Path("faces.zip")], Path("v.csv"), Path("p.zip")),
            "model": "resnet50",
            "weights_dir": Path("w"),
            "target_accuracy": {"people": 0.95, "fer2013": 0.7},
            "publish_to": Path("p"),
            "device": "cpu",
        },
    ]


def test_figures_before_and_after_are_printed(emotion):
    result = emotion("--publish", "shipped")
    assert result.exit_code == 0
    for part in (
        "FER-2013's label, 3,589 faces",
        "what people see, 3,412 faces",
        "0.900",
        "0.850",
        "7.0%",
        "2.0%",
        "1.234",
        "smoothing removed",
        "8%",
        "share of the crowd head",
        "75%",
    ):
        assert part in result.stdout
    for title in ("What people see", "FER-2013's label"):
        assert (
            f"{title}: the level is 0.550. 70.0% of the faces reach it, 81.0% of those right."
            in " ".join(result.stdout.split())
        )
    assert "Published to shipped." in result.stdout


def test_shares_of_the_ensemble_are_printed(emotion):
    assert "Share of resnet50: 30%." in emotion("--model", "ensemble").stdout
    assert "Share of" not in emotion().stdout


def test_unreachable_target_is_reported(emotion):
    assert "What people see: no level reaches 100%" in emotion("--target-accuracy", "1").stdout


def test_error_is_printed_with_its_hint(emotion):
    result = emotion("--target-accuracy", "2")
    assert result.exit_code == 2
    assert result.stderr == "Error: The target accuracy is wrong.\nLower it.\n"
