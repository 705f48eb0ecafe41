"""`emotion covered`: options reach the library, and the results are printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from training.learning.run import TrainingRun

ROW = {
    "name": "white",
    "group": "masks",
    "faces": 5,
    "found": 4,
    "noticed": 3,
    "noticed_share": 0.75,
    "noticed_share_interval": [0.3, 0.95],
    "certain": 1,
}
REPORT = {
    "drawn": {"photos": {"rows": [ROW], "groups": {}}},
    "uncovered": {"called": 2, "faces": 50, "called_share": 0.04},
    "answers": {
        "rows": [
            {"group": "masks", "certain_share": 0.5, "certain_accuracy": 0.6, "called_share": 0.99}
        ]
    },
    "negatives": {
        "others": {"photos": 9, "detection": 2, "certain": 1},
        "hard": {"photos": 3, "detection": 3, "certain": 0},
    },
}


@pytest.fixture
def emotion(monkeypatch):
    calls = []

    def fake(name, result):
        def record_call(*arguments, **options):
            calls.append((arguments, options))
            return result

        monkeypatch.setattr(f"training.covered.{name}", record_call)

    def run(*arguments):
        return CliRunner().invoke(app, ["covered", *arguments])

    run.fake, run.calls = fake, calls
    return run


def test_training_prints_its_files_and_the_next_command(emotion):
    run = TrainingRun(Path("out"), Path("out/covered.safetensors"), 7, 3700.0, False, ("a: bad",))
    emotion.fake("train.train_covered", run)
    options = ["--data", "f.zip", "--photos", "p.zip", "--out", "out", "--set", "epochs=3"]
    result = emotion("train", *options)
    assert result.exit_code == 0
    assert "Trained the check: 7 epochs in 1 h 2 min. Files:" in result.stdout
    assert "emotion covered evaluate --weights out" in result.stdout
    assert "a: bad" in result.stderr
    ((recipe, data, out), options) = emotion.calls[0]
    assert (recipe.epochs, data, out) == (3, [Path("f.zip")], Path("out"))
    assert options["photos"] == Path("p.zip")


def test_evaluation_prints_every_part(emotion):
    emotion.fake("evaluate.evaluate_covered", (REPORT, ("a: bad",)))
    result = emotion("evaluate", "--photos", "p", "--photos", "q", "--out", "out")
    assert result.exit_code == 0
    assert "75.0%" in result.stdout
    assert "4 of 5" in result.stdout
    assert "2 of 50 faces called covered: 4.0%." in result.stdout
    assert "99.0%" in result.stdout
    assert "9 photos without a face: 2 with a detection, 1 with a certain answer." in result.stdout
    assert "3 photos of statues and the like: 3 with a detection, 0 with" in result.stdout
    assert "a: bad" in result.stderr
    assert emotion.calls[0][1]["photos"] == [Path("p"), Path("q")]


def test_evaluation_of_one_part_prints_only_that(emotion):
    empty = dict.fromkeys(("drawn", "uncovered", "answers"))
    emotion.fake("evaluate.evaluate_covered", ({**REPORT, **empty}, ()))
    result = emotion("evaluate", "--negatives", "n", "--out", "out")
    assert result.exit_code == 0
    assert "masks" not in result.stdout
    assert "called covered" not in result.stdout


def test_measured_check_is_published(emotion):
    emotion.fake("evaluate.evaluate_covered", (REPORT, ()))
    emotion.fake("publish.publish_check", None)
    result = emotion("evaluate", "--weights", "w", "--publish", "d", "--out", "out")
    assert result.exit_code == 0
    assert emotion.calls[1][0] == (Path("w"), Path("d"), REPORT)
    assert "Published to d." in result.stdout


def test_file_without_figures_ends_with_an_error(emotion, tmp_path):
    (tmp_path / "x.json").write_text("[]", encoding="utf-8")
    result = emotion("table", str(tmp_path / "x.json"))
    assert result.exit_code != 0
    assert "x.json" in result.stderr
