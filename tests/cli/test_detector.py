"""`emotion detector`: options reach the library, and the results are printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from core import DataError
from training.learning.run import TrainingRun

POINT = {"threshold": 0.5, "precision": 0.9, "recall": 0.8, "f1": 0.847}
BOTH = ["--images", "val.zip", "--boxes", "val.json"]


@pytest.fixture
def emotion(monkeypatch):
    calls = []
    runner = CliRunner()

    def fake(name, result):
        def record_call(*arguments, **options):
            calls.append((arguments, options))
            if isinstance(result, BaseException):
                raise result
            return result

        monkeypatch.setattr(f"training.detector.{name}", record_call)

    def run(*arguments):
        return runner.invoke(app, ["detector", *arguments])

    run.fake, run.calls = fake, calls
    return run


def test_training_prints_its_files_and_the_next_commands(emotion):
    run = TrainingRun(Path("out"), Path("out/compact.safetensors"), 7, 3700.0, True, ("a: bad",))
    emotion.fake("train.train_detector", run)
    result = emotion("train", *BOTH, "--out", "out", "--set", "epochs=3", "--max-minutes", "5")
    assert result.exit_code == 0
    assert (
        "Trained the detector: 7 epochs in 1 h 2 min, ended by --max-minutes. Files:"
        in result.stdout
    )
    assert "emotion detector tune --detector compact --weights out" in result.stdout
    assert "a: bad" in result.stderr
    ((recipe, images, boxes, out), options) = emotion.calls[0]
    assert (recipe.epochs, images, boxes, out) == (
        3,
        Path("val.zip"),
        Path("val.json"),
        Path("out"),
    )
    assert options["max_minutes"] == 5


def test_interrupted_training_says_how_to_continue(emotion):
    emotion.fake("train.train_detector", KeyboardInterrupt())
    result = emotion("train", *BOTH)
    assert result.exit_code == 130
    assert "--resume" in result.stderr


def test_tuning_prints_every_operating_point_and_names_the_file(emotion):
    entry = {"points": {"precision": POINT, "balanced": POINT, "recall": POINT}}
    document = {"detectors": {"mtcnn": {"fast": entry}}}
    emotion.fake("tune.tune_detectors", (Path("weights/detection.json"), document, ()))
    result = emotion("tune", *BOTH, "--detector", "mtcnn", "--negatives", "none.zip")
    assert result.exit_code == 0
    assert "fast, recall" in result.stdout
    assert "0.847" in result.stdout
    assert "weights/detection.json" in result.stdout
    options = emotion.calls[0][1]
    assert (options["detectors"], options["negatives"]) == (["mtcnn"], Path("none.zip"))


def test_evaluation_prints_both_detectors_side_by_side(emotion):
    figures = {
        "detector": "mtcnn",
        "photos": 3,
        "faces": 9,
        **POINT,
        "f1_interval": [0.8, 0.9],
        "ap": 0.9,
        "seconds_per_image": 0.2,
        "against": {"detector": "other", **POINT, "ap": 0.7, "times_as_fast": 8.04},
    }
    emotion.fake("evaluate.evaluate_detector", (figures, ()))
    result = emotion("evaluate", *BOTH, "--detector", "mtcnn", "--out", "out", "--held-out")
    assert result.exit_code == 0
    assert "0.847 (0.800 to 0.900)" in result.stdout
    assert "other" in result.stdout
    assert "8.0" in result.stdout
    assert emotion.calls[0][1]["held_out"] is True


def test_error_is_printed_with_its_hint(emotion):
    emotion.fake("evaluate.evaluate_detector", DataError("No photo.", hint="Give some."))
    result = emotion("evaluate", *BOTH, "--detector", "mtcnn", "--out", "out")
    assert result.exit_code == 2
    assert "No photo." in result.stderr
    assert "Give some." in result.stderr
