"""`emotion ablate`, `duplicates` and `study`: options and printed tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import main
from training.evaluation.release_gate import Breach


@pytest.fixture
def fake(monkeypatch):
    """Replace a function of training; return the list of its calls."""

    def replace(name, result):
        calls = []

        def record_call(*arguments, **options):
            calls.append((arguments, options))
            return result

        monkeypatch.setattr(f"training.{name}", record_call)
        return calls

    return replace


def emotion(line):
    return CliRunner().invoke(main.app, line.split())


def test_ablate_passes_every_option_and_prints_the_table(fake, tmp_path):
    (tmp_path / "ablation.md").write_text("| run |\n|---|\n| all terms |\n")
    calls = fake("studies.ablation.ablate", [])
    result = emotion(
        "ablate --model resnet50 --data a --data b.zip --votes v.csv --init scratch --faces 500 "
        f"--set epochs=2 --compile --workers 0 --out {tmp_path} "
        "--landmarks l.npz --teacher t.safetensors --only no_mixup"
    )
    assert result.exit_code == 0
    assert "| all terms |" in result.stdout
    ((arguments, options),) = calls
    *places, training = arguments
    assert places == ["resnet50", [Path("a"), Path("b.zip")], tmp_path]
    assert options["overrides"] == {"epochs": "2"}
    assert (training.init, training.votes) == ("scratch", Path("v.csv"))
    assert (training.limit, training.workers, training.compiled) == (500, 0, True)
    assert training.landmarks == Path("l.npz")
    assert (training.teachers, options["only"]) == ([Path("t.safetensors")], ["no_mixup"])
    assert options["report"] is None


def test_ablate_needs_votes():
    result = emotion("ablate --model mobilenet_v2 --data a --out b")
    assert result.exit_code == 2
    assert "--votes" in result.stderr


def test_duplicates_prints_counts_by_split_and_place(fake, tmp_path):
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
    skipped = ("a.png: It is cut off.",)
    calls = fake("data.duplicates.find_duplicates", (report, skipped))
    result = emotion("duplicates --data faces.zip --out o --threshold 0.95")
    assert result.exit_code == 0
    assert calls == [(([Path("faces.zip")], Path("o"), 0.95), {})]
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "train, within 1,000 20 (2.0%) 30 (3.0%)" in lines
    assert "test, also in train 8 (8.0%) 11 (11.0%)" in lines
    assert "with different labels 3 4" in lines
    assert "Skipped 1 files" in result.stderr


def test_study_frame_prints_both_tables(fake, tmp_path):
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
    calls = fake("studies.frame.study_frame", report)
    result = emotion("study frame --data a --data b --photos p.zip --out o --sample 50")
    assert result.exit_code == 0
    ((arguments, options),) = calls
    assert arguments == ([Path("a"), Path("b")], Path("p.zip"), Path("o"))
    assert (options["model"], options["sample"]) == ("mobilenet_v2", 50)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "framed at 1.00 70.0% (68.0% to 72.0%) -1.2 (-2.0 to -0.4)" in lines
    assert "directly 6 of 8 0.500 61.0% 90.0% 0.40" in lines


def test_study_landmarks_prints_a_table_for_each_model(fake, tmp_path):
    span = {"accuracy": 0.7, "accuracy_interval": [0.68, 0.72], "certain": 0.8}
    gap = {"value": -0.012, "interval": [-0.02, -0.004]}
    row = {**span, "flips": 0.05, "against_aligned": {"accuracy": gap, "mcnemar_p": 0.01}}
    figures = {
        "aligned": span,
        "as_given": row,
        "noise": {"jitter": [{"error": 0.1, **row}]},
        "dropped": [{"share": 0.25, **row}],
    }
    ways = {
        "found_by_both": 40,
        "distance": {"n": 40, "mean": 0.061},
        "models": {"mobilenet_v2": {"five_points": {**span, "flips": 0.1, "against_mesh": gap}}},
    }
    report = {
        "models": {"mobilenet_v2": figures},
        "ways": ways,
        "photos": None,
        "human_points": {"found": 12, "inner": {"mean": 0.034}},
    }
    calls = fake("studies.landmarks.study_landmarks", report)
    result = emotion(
        "study landmarks --data a --out o --sample 50 --model mobilenet_v2 --photos p --points q"
    )
    assert result.exit_code == 0
    ((arguments, options),) = calls
    assert arguments == ([Path("a")], Path("o"))
    assert (options["models"], options["sample"]) == (("mobilenet_v2",), 50)
    assert (options["photos"], options["points"]) == (Path("p"), Path("q"))
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "aligned 70.0% (68.0% to 72.0%) 80.0%" in lines
    assert "jitter 10% 70.0% (68.0% to 72.0%) -1.2 (-2.0 to -0.4) 5.0% 80.0%" in lines
    assert "dropped in 25% 70.0% (68.0% to 72.0%) -1.2 (-2.0 to -0.4) 5.0% 80.0%" in lines
    assert "40 validation faces accuracy against mesh answers changed" in lines
    assert "Mesh and five points lie 6.1% of the eyes' distance apart." in lines
    assert "mobilenet_v2, five points 70.0% (68.0% to 72.0%) -1.2 (-2.0 to -0.4) 10.0%" in lines
    assert "the mesh errs by 3.4%" in result.stdout


def test_study_mirrored_prints_how_far_the_landmarks_move(fake, tmp_path):
    row = {"mean": 0.011, "mean_interval": [0.01, 0.012], "median": 0.009, "p95": 0.026}
    report = {"faces": 742, "by_all": 577, "found": {"mesh": 606}, "ways": {"mesh": row}}
    calls = fake("studies.mirrored.study_mirrored", report)
    result = emotion("study mirrored --images a.zip --out o")
    assert result.exit_code == 0
    assert calls[0][0] == (Path("a.zip"), Path("o"))
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "577 of 742 faces found mean median 95 %" in lines
    assert "mesh 606 1.1% (1.0% to 1.2%) 0.9% 2.6%" in lines


def test_study_ensemble_prints_every_combination_in_each_reading(fake, tmp_path):
    alone = {
        "members": ["resnet50"],
        "combined": "alone",
        "agreement": 0.85,
        "agreement_interval": [0.84, 0.86],
        "loss": 0.719,
        "against_best": {"value": -0.001, "interval": [-0.01, 0.008]},
        "p": 0.91,
    }
    pair = {**alone, "members": ["mobilenet_v2", "resnet50"], "combined": "equal"}
    figures = {"n": 3558, "best": "mobilenet_v2", "ways": [alone, pair]}
    calls = fake("studies.ensemble.study_ensemble", {"readings": {"people": figures}})
    result = emotion("study ensemble --data a.zip --votes v.csv --out o")
    assert result.exit_code == 0
    assert calls[0][0] == ([Path("a.zip")], Path("v.csv"), Path("o"))
    words = " ".join(result.stdout.split())
    assert "people, 3,558 faces right against mobilenet_v2 p cross-entropy" in words
    assert "resnet50, alone 85.0% (84.0% to 86.0%) -0.1 (-1.0 to +0.8) 0.910 0.719" in words
    assert "mobilenet_v2 + resnet50, equal" in words


def test_study_flip_prints_every_limit_for_each_network(fake, tmp_path):
    figures = {"agreement": 0.8532, "other_answers": 0.0003}
    entry = {"limit": 0.7, "share": 0.55, "readings": {"people": figures, "fer2013": figures}}
    calls = fake("studies.flip.study_flip", {"models": {"mobilenet_v2": [entry]}})
    result = emotion("study flip --data a.zip --votes v.csv --out o")
    assert result.exit_code == 0
    assert calls[0][0] == ([Path("a.zip")], Path("v.csv"), Path("o"))
    words = " ".join(result.stdout.split())
    assert "mobilenet_v2: limit faces people, right" in words
    assert "0.7 55% 85.32% 0.03% 85.32% 0.03%" in words


def test_study_robustness_prints_the_worst_groups_and_every_level(fake, tmp_path):
    gap = {"value": -0.08, "interval": [-0.12, -0.04], "p": 0.0001, "q": 0.002}
    row = {"accuracy": 0.6, "accuracy_interval": [0.56, 0.64], "certain": 0.7, "change": gap}
    figures = {
        "worst": [
            {"slicing": "yaw", "group": "35 and more", "n": 1200, "accuracy": 0.6, "gap": gap}
        ],
        "curves": {"blur": [{"level": 0.0, **row}, {"level": 1.5, **row}]},
    }
    good = {"worst": [], "curves": {}}
    report = {"models": {"mobilenet_v2": figures, "ensemble": good}}
    calls = fake("studies.robustness.study_robustness", report)
    result = emotion("study robustness --data a --out o --votes v.csv --groups g.csv --sample 50")
    assert result.exit_code == 0
    ((arguments, options),) = calls
    assert arguments == ([Path("a")], Path("o"))
    assert (options["votes"], options["groups"]) == (Path("v.csv"), Path("g.csv"))
    assert options["sample"] == 50
    assert "ensemble" in options["models"]
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "yaw: 35 and more 1,200 60.0% -8.0 (-12.0 to -4.0)" in lines
    assert "blur 1.5 60.0% (56.0% to 64.0%) -8.0 (-12.0 to -4.0) 70.0%" in lines
    assert "blur 0" not in result.stdout
    assert "none is significantly worse" in result.stdout


@pytest.mark.parametrize("measured", [0.3296, 0.32999, 0.33 - 1e-12])
def test_study_gate_never_names_the_limit_as_what_was_measured(fake, measured):
    fake(
        "evaluation.release_gate.check_release",
        (Breach("resnet50", "recall of fear", measured, 0.33),),
    )
    result = emotion("study gate")
    assert "recall of fear is 0.32" in result.stderr


def test_study_gate_fails_with_the_exceeded_limits(fake):
    calls = fake("evaluation.release_gate.check_release", ())
    result = emotion("study gate --results r.json --limits l.toml --weights w")
    assert (result.exit_code, result.stdout) == (0, "All limits are kept.\n")
    assert calls[0][1] == {
        "report_file": Path("r.json"),
        "limits_file": Path("l.toml"),
        "weights_dir": Path("w"),
    }
    fake(
        "evaluation.release_gate.check_release", (Breach("resnet50", "recall of fear", 0.2, 0.33),)
    )
    result = emotion("study gate")
    assert result.exit_code == 1
    assert result.stderr == "resnet50: recall of fear is 0.200, the limit is 0.330.\n"


def test_study_without_a_name_lists_the_studies():
    result = emotion("study")
    assert "frame" in result.output


def test_study_turned_prints_a_row_for_each_preset(fake, tmp_path):
    share = {"share": 0.97, "share_interval": [0.95, 0.99]}
    negatives = {"ordinary": {"photos": 60, "per_100_as_given": 1.5, "per_100_turned": 2.5}}
    row = {
        "found": share,
        "upright_after": dict.fromkeys(["0", "90", "180", "270"], share),
        "negatives": negatives,
        "cost": {"photos": 20, "ratio": 1.02},
    }
    report = {"photos": 1516, "presets": {"balanced": row, "fast": {**row, "negatives": None}}}
    calls = fake("studies.turned.study_turned", report)
    result = emotion(
        f"study turned --images a.zip --negatives n.zip --ordinary o --sample 9 --out {tmp_path}"
    )
    assert result.exit_code == 0, result.output
    ((photos, out), options) = calls[0]
    assert (str(photos), out) == ("a.zip", tmp_path)
    names = ("negatives", "ordinary", "sample", "weights_dir")
    assert [str(options[name]) for name in names] == ["n.zip", "o", "9", "None"]
    assert result.output.count("97.0%") == 10
    assert (
        "balanced, 60 photos without a face (ordinary): 2.5 false faces per 100, 1.5"
        in " ".join(result.output.split())
    )
    assert "median time of 20 ordinary photos +2.0 %" in result.output
