"""`emotion train`: options, printed messages and refused input."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cli import main
from cli.options import parse_values
from cli.training_run import format_duration, print_epoch
from core import ConfigError, model_names
from training.learning.progress import EpochReport
from training.learning.recipe import read_recipe
from training.learning.run import TrainingRun


@pytest.fixture
def emotion(monkeypatch):
    """Run `emotion train` with a fake training that records its calls."""
    calls = []
    skipped = []

    def train_model(recipe, sources, directory, options, *, resume, report):
        call = {"recipe": recipe, "sources": sources, "out": directory, "resume": resume}
        calls.append(call | dataclasses.asdict(options))
        if report:
            report(
                EpochReport(1, 24, 250.4, 3725.0, 1.5, {"accuracy": 0.612, "macro_f1": 0.55}, 0.02)
            )
        if options.init == "stopped":
            raise KeyboardInterrupt
        weights = directory / "mobilenet_v2.safetensors"
        leads = options.devices != 4
        return TrainingRun(directory, weights, 24, 90.0, False, tuple(skipped), leads)

    monkeypatch.setattr("training.learning.train.train_model", train_model)

    def run(*arguments):
        required = ("--model", "mobilenet_v2", "--data", "faces.zip")
        return CliRunner().invoke(main.app, ["train", *required, *arguments])

    run.calls, run.skipped = calls, skipped
    return run


def test_defaults_reach_the_library(emotion):
    assert emotion().exit_code == 0
    (call,) = emotion.calls
    assert call["recipe"] == read_recipe("mobilenet_v2")
    assert call["sources"] == [Path("faces.zip")]
    assert call["out"] == Path("runs/mobilenet_v2")
    assert call["init"] == "imagenet"
    assert (call["votes"], call["resume"], call["max_minutes"]) == (None, False, None)
    assert (call["workers"], call["device"], call["precision"]) == (1, "auto", "auto")
    assert (call["compiled"], call["limit"]) == (False, None)


def test_every_option_reaches_the_library(emotion):
    lines = (
        "--data more --init scratch --votes votes.csv --set epochs=3 --set learning_rate=1e-4",
        "--out elsewhere --resume --max-minutes 5 --workers 0",
        "--device cpu --precision bf16-mixed --compile --faces 500",
        "--devices 2 --nodes 3 --teacher a.safetensors --teacher b.safetensors",
    )
    arguments = " ".join(lines).split()
    assert emotion(*arguments).exit_code == 0
    (call,) = emotion.calls
    assert (call["recipe"].epochs, call["recipe"].learning_rate) == (3, 1e-4)
    assert call["sources"] == [Path("faces.zip"), Path("more")]
    assert call["out"] == Path("elsewhere")
    assert (call["init"], call["votes"]) == ("scratch", Path("votes.csv"))
    assert (call["resume"], call["max_minutes"], call["workers"]) == (True, 5.0, 0)
    assert (call["device"], call["precision"], call["compiled"]) == ("cpu", "bf16-mixed", True)
    assert (call["limit"], call["devices"], call["nodes"]) == (500, 2, 3)
    assert call["teachers"] == [Path("a.safetensors"), Path("b.safetensors")]


def test_nothing_is_printed_into_a_pipe_until_the_end(emotion):
    result = emotion()
    assert result.stderr == ""
    assert "Trained mobilenet_v2: 24 epochs in 2 min" in result.stdout


def test_only_the_first_of_several_processes_prints_the_result(emotion):
    assert emotion("--devices", "4").stdout == ""


def test_result_names_the_files_and_the_next_commands(emotion):
    result = emotion("--data", "val.zip").stdout
    assert "runs/mobilenet_v2/mobilenet_v2.safetensors" in result
    assert "emotion calibrate --model mobilenet_v2 --data faces.zip --data val.zip --wei" in result
    assert "emotion evaluate --model mobilenet_v2 --data faces.zip --data val.zip --wei" in result


def test_terminal_gets_one_line_per_epoch(emotion, monkeypatch):
    terminal = SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("cli.terminal.sys", terminal)
    result = emotion()
    first, line = result.stderr.splitlines()
    assert first == "Reading the faces …"
    assert line.startswith("epoch 1/24 · 250 images/s · 1 h 2 min left · loss 1.500 · ")
    assert line.endswith(" · validation accuracy 61.2% · macro-F1 55.0%")
    assert "epoch 1/24" not in result.stdout


def test_epoch_without_validation_faces_is_printed_without_metrics(capsys):
    print_epoch(EpochReport(2, 24, 1250.4, 30.0, 1.5, {}, 0.02))
    line = "epoch 2/24 · 1,250 images/s · 30 s left · loss 1.500\n"
    assert capsys.readouterr() == ("", line)


def test_epoch_shows_how_the_crowd_agrees(capsys):
    metrics = {"accuracy": 0.7, "crowd_accuracy": 0.8354, "crowd_kl": 0.3136}
    print_epoch(EpochReport(2, 24, 1250.4, 30.0, 1.5, metrics, 0.02))
    shown = "validation accuracy 70.0% · crowd's first choice 83.5% · KL to votes 0.314\n"
    assert capsys.readouterr().err.endswith(shown)


def test_slow_loading_is_reported(capsys):
    print_epoch(EpochReport(2, 24, 1250.4, 30.0, 1.5, {}, 0.31))
    assert capsys.readouterr().err.endswith(" · 31% of it waiting for photos: try more --workers\n")


def test_skipped_files_are_named_and_many_are_counted(emotion):
    emotion.skipped += [f"angry/{index}.png: It is cut off." for index in range(25)]
    emotion.skipped[0] = "angry/\x1b[2J.png: It is cut off."
    result = emotion()
    assert result.exit_code == 0
    assert "Skipped 25 files that cannot be read:" in result.stderr
    assert "angry/19.png: It is cut off." in result.stderr
    assert "angry/20.png" not in result.stderr
    assert "and 5 more" in result.stderr
    assert "\x1b[2J" not in result.stderr


def test_ctrl_c_says_how_to_continue(emotion):
    result = emotion("--init", "stopped")
    assert result.exit_code == 130
    assert "--resume" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "epochs"], "--set needs NAME=VALUE"),
        (["--set", "=3"], "--set needs NAME=VALUE"),
        (["--set", "epoch=3"], "no value 'epoch'"),
        (["--recipe", "absent.toml"], "cannot be read"),
        (["--model", "ensemble"], "ensemble"),
        (["--precision", "8-bit"], "8-bit"),
        (["--workers", "-1"], "--workers"),
        (["--max-minutes", "0"], "--max-minutes"),
    ],
)
def test_wrong_option_ends_with_2_before_anything_is_read(emotion, arguments, message):
    result = emotion(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert emotion.calls == []


def test_values_keep_equals_signs_but_not_outer_spaces():
    assert parse_values(["epochs = 3", "note=a=b"]) == {"epochs": "3", "note": "a=b"}
    assert parse_values([]) == {}
    with pytest.raises(ConfigError):
        parse_values(["epochs"])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (3599, "1 h 0 min"), (7260, "2 h 1 min")],
)
def test_durations_are_rounded_to_hours_minutes_or_seconds(seconds, text):
    assert format_duration(seconds) == text


def test_registered_model_is_offered_only_where_it_works(root):
    code = """
from core.classifiers import CLASSIFIERS
CLASSIFIERS.add("registered", "nowhere:nothing")
from cli import options
print("registered" in [*options.ModelName], "registered" in options.list_models("all", None))
print(any("registered" in names for names in ([*options.NetworkName], [*options.TrainedOrAll])))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["True", "False", "False"]


@pytest.mark.parametrize("command", ["train", "evaluate", "calibrate"])
def test_help_lists_every_network(command):
    result = CliRunner().invoke(main.app, [command, "--help"])
    assert result.exit_code == 0
    for name in model_names():
        assert (name in result.stdout) or (command, name) == ("train", "ensemble")
