"""`emotion detector`: what is passed on, and what a person reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import training
from cli.main import app
from core import DataError
from training.detector.evaluate import DetectionResult
from training.detector.tune import TuningResult
from training.learning.run import TrainingRun

POINT = {"threshold": 0.5, "precision": 0.9, "recall": 0.8, "f1": 0.847}
BOTH = ["--images", "val.zip", "--boxes", "val.json"]


@pytest.fixture
def emotion(monkeypatch):
    calls = []
    runner = CliRunner()

    def fake(name, answer):
        def called(*arguments, **options):
            calls.append((name, arguments, options))
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(training, name, called)

    def run(*arguments):
        return runner.invoke(app, ["detector", *arguments])

    run.fake, run.calls = fake, calls
    return run


def test_training_tells_where_everything_lies_and_what_comes_next(emotion):
    told = TrainingRun(Path("out"), Path("out/compact.safetensors"), 7, 3700.0, True, ("a: bad",))
    emotion.fake("train_detector", told)
    shown = emotion("train", *BOTH, "--out", "out", "--set", "epochs=3", "--max-minutes", "5")
    assert shown.exit_code == 0
    assert "7 epochs in 1 h 2 min, by the clock" in shown.stdout
    assert "emotion detector tune --detector compact --weights out" in shown.stdout
    assert "a: bad" in shown.stderr
    (_, (recipe, images, boxes, out), options) = emotion.calls[0]
    assert (recipe.epochs, images, boxes, out) == (
        3,
        Path("val.zip"),
        Path("val.json"),
        Path("out"),
    )
    assert options["max_minutes"] == 5


def test_interrupted_training_tells_how_to_go_on(emotion):
    emotion.fake("train_detector", None)

    def stop(*_arguments, **_options):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train_detector", stop)
        shown = emotion("train", *BOTH)
    assert shown.exit_code != 0
    assert "--resume" in shown.stderr


def test_tuning_shows_every_point_and_names_the_file(emotion):
    entry = {"points": {"precision": POINT, "balanced": POINT, "recall": POINT}}
    document = {"detectors": {"mtcnn": {"fast": entry}}}
    emotion.fake("tune_detectors", TuningResult(Path("weights/detection.json"), document, ()))
    shown = emotion("tune", *BOTH, "--detector", "mtcnn", "--negatives", "none.zip")
    assert shown.exit_code == 0
    assert "fast, recall" in shown.stdout
    assert "0.847" in shown.stdout
    assert "weights/detection.json" in shown.stdout
    options = emotion.calls[0][2]
    assert (options["detectors"], options["negatives"]) == (["mtcnn"], Path("none.zip"))


def test_evaluation_shows_both_detectors_beside_each_other(emotion):
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
    emotion.fake("evaluate_detector", DetectionResult(Path("out"), figures, ()))
    shown = emotion("evaluate", *BOTH, "--detector", "mtcnn", "--out", "out", "--held-out")
    assert shown.exit_code == 0
    assert "0.847 (0.800 to 0.900)" in shown.stdout
    assert "other" in shown.stdout
    assert "8.0" in shown.stdout
    assert emotion.calls[0][2]["held_out"] is True


def test_what_is_wrong_with_the_photos_ends_with_its_hint(emotion):
    emotion.fake("evaluate_detector", DataError("No photo.", hint="Give some."))
    shown = emotion("evaluate", *BOTH, "--detector", "mtcnn", "--out", "out")
    assert shown.exit_code == 2
    assert "No photo." in shown.stderr
    assert "Give some." in shown.stderr
