"""`emotion ablate`, `duplicates` and `study`: what is parsed and what is shown."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import training
from cli import main


@pytest.fixture
def replaced(monkeypatch):
    """Puts a function in the place of one of training's; gives what it was called with."""

    def put(name, answer):
        calls = []

        def function(*arguments, **options):
            calls.append((arguments, options))
            return answer

        monkeypatch.setitem(vars(training), name, function)
        return calls

    return put


def emotion(line):
    return CliRunner().invoke(main.app, line.split())


def test_ablate_hands_everything_on_and_prints_the_table(replaced, tmp_path):
    (tmp_path / "ablation.md").write_text("| run |\n|---|\n| all terms |\n")
    calls = replaced("ablate", SimpleNamespace(directory=tmp_path, rows=()))
    shown = emotion(
        "ablate --model resnet50 --data a --data b.zip --votes v.csv --init scratch --faces 500 "
        "--set epochs=2 --compile --workers 0 --out elsewhere "
        "--landmarks l.npz --teacher t.safetensors --only no_mixup"
    )
    assert shown.exit_code == 0
    assert "| all terms |" in shown.stdout
    ((arguments, options),) = calls
    assert arguments == ("resnet50", [Path("a"), Path("b.zip")], Path("elsewhere"))
    assert options["overrides"] == {"epochs": "2"}
    assert (options["init"], options["votes"]) == ("scratch", Path("v.csv"))
    assert (options["faces"], options["workers"], options["compiled"]) == (500, 0, True)
    assert options["landmarks"] == Path("l.npz")
    assert (options["teachers"], options["only"]) == ([Path("t.safetensors")], ["no_mixup"])
    assert options["report"] is None


def test_ablate_needs_votes():
    shown = emotion("ablate --model mobilenet_v2 --data a --out b")
    assert shown.exit_code == 2
    assert "--votes" in shown.stderr


def test_duplicates_shows_counts_by_split_and_place(replaced, tmp_path):
    def part(within, other, faces):
        return {"within": within, "also_in": {other: {"faces": faces}}}

    report = {
        "faces": {"train": 1000, "test": 100},
        "exact": {
            "groups": 12,
            "groups_with_different_labels": 3,
            "splits": {"train": part(20, "test", 9), "test": part(0, "train", 8)},
        },
        "near": {
            "groups": 17,
            "groups_with_different_labels": 4,
            "splits": {"train": part(30, "test", 12), "test": part(2, "train", 11)},
        },
    }
    answer = SimpleNamespace(directory=tmp_path, report=report, skipped=("a.png: It is cut off.",))
    calls = replaced("audit_duplicates", answer)
    shown = emotion("duplicates --data faces.zip --out o --threshold 0.95")
    assert shown.exit_code == 0
    assert calls == [(([Path("faces.zip")], Path("o"), 0.95), {})]
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert "train, within 1,000 20 (2.0%) 30 (3.0%)" in lines
    assert "test, also in train 8 (8.0%) 11 (11.0%)" in lines
    assert "with different labels 3 4" in lines
    assert "Skipped 1 files" in shown.stderr


def test_study_frame_shows_both_tables(replaced, tmp_path):
    span = {"accuracy": 0.7, "accuracy_interval": [0.68, 0.72]}
    gap = {"value": -0.012, "interval": [-0.02, -0.004]}
    report = {
        "scale": {
            "n": 100,
            "found": 90,
            "as_given": span,
            "scales": [{"scale": 1.0, **span, "against_as_given": {"accuracy": gap}}],
        },
        "passage": {
            "faces": 12,
            "labelled": 8,
            "sharpness_of_training_faces": [0.1, 0.2, 0.3],
            "ways": [
                {
                    "way": "directly",
                    "right": 6,
                    "nll": 0.5,
                    "mean_confidence": 0.61,
                    "same_answer_as_through_48_px": 0.9,
                    "sharpness_quartiles": [0.3, 0.4, 0.5],
                }
            ],
        },
    }
    calls = replaced("study_frame", SimpleNamespace(directory=tmp_path, report=report))
    shown = emotion("study frame --data a --data b --photos p.zip --out o --sample 50")
    assert shown.exit_code == 0
    ((arguments, options),) = calls
    assert arguments == ([Path("a"), Path("b")], Path("p.zip"), Path("o"))
    assert (options["model"], options["sample"]) == ("mobilenet_v2", 50)
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert "framed at 1.00 70.0% (68.0% to 72.0%) -1.2 (-2.0 to -0.4)" in lines
    assert "directly 6 of 8 0.500 61.0% 90.0% 0.40" in lines


def test_study_landmarks_shows_a_table_for_each_model(replaced, tmp_path):
    span = {"accuracy": 0.7, "accuracy_interval": [0.68, 0.72], "certain": 0.8}
    gap = {"accuracy": {"value": -0.012, "interval": [-0.02, -0.004]}, "mcnemar_p": 0.01}
    row = {**span, "flips": 0.05, "against_aligned": gap}
    told = {"aligned": span, "as_given": row, "noise": {"jitter": [{"error": 0.1, **row}]}}
    report = {"models": {"mobilenet_v2": told}}
    calls = replaced("study_landmarks", SimpleNamespace(directory=tmp_path, report=report))
    shown = emotion("study landmarks --data a --out o --sample 50 --model mobilenet_v2")
    assert shown.exit_code == 0
    ((arguments, options),) = calls
    assert arguments == ([Path("a")], Path("o"))
    assert (options["models"], options["sample"]) == (("mobilenet_v2",), 50)
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert "aligned 70.0% (68.0% to 72.0%) 80.0%" in lines
    assert "jitter 10% 70.0% (68.0% to 72.0%) -1.2 (-2.0 to -0.4) 5.0% 80.0%" in lines


def test_study_without_a_name_lists_the_studies():
    shown = emotion("study")
    assert "frame" in shown.output
