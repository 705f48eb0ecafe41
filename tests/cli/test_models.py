"""`emotion models`: figures of what is there, and how to get what is not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import core
from cli import main
from core import WeightsMissing
from tests.fakes import model_info, untrained

FIGURES = {
    "data": "FER-2013 PublicTest",
    "n": 3589,
    "accuracy": 0.6787,
    "accuracy_interval": [0.665, 0.695],
    "macro_f1": 0.6361,
    "ece": 0.0294,
}


@pytest.fixture
def models(monkeypatch):
    """Runs the command over a catalogue."""

    def run(*catalog, arguments=()):
        monkeypatch.setattr(core, "model_catalog", lambda: catalog)
        return CliRunner().invoke(main.app, ["models", *arguments])

    return run


def words(text):
    return " ".join(text.split())


def test_trained_model_is_listed_with_its_figures_and_intervals(models):
    shown = models(model_info(metrics={"validation": FIGURES}))
    assert shown.exit_code == 0
    lines = [words(line) for line in shown.stdout.splitlines()]
    assert lines[:6] == [
        "mobilenet_v2",
        "accuracy, % 67.9 (66.5 to 69.5)",
        "macro-F1, % 63.6",
        "calibration error, % 2.9",
        "parameters, millions 2.2",
        "file, MB 4.6",
    ]
    assert "photos" not in shown.stdout
    assert "Not trained yet" not in shown.stdout


def test_untrained_model_says_how_to_train_it_on_one_line(models):
    shown = models(model_info(metrics={"validation": FIGURES}), untrained("inception_v3"))
    command = "emotion train --model inception_v3 --data DIR_OR_ZIP"
    assert f"  inception_v3: {command}\n" in shown.stdout


def test_no_trained_model_leaves_no_empty_table(models):
    shown = models(untrained("resnet50"))
    assert shown.stdout.startswith("Not trained yet:\n")


@pytest.mark.parametrize(
    "metrics", [{}, {"validation": {}}, {"validation": {"accuracy": 0.5}}, {"test": FIGURES}]
)
def test_missing_figures_are_told_as_missing(models, metrics):
    shown = models(model_info(metrics=metrics))
    assert shown.exit_code == 0
    assert "measured on –" in words(shown.stdout)


def test_figures_without_the_data_s_name_are_still_shown(models):
    shown = models(model_info(metrics={"validation": {"n": 3589, "accuracy": 0.7}}))
    assert shown.exit_code == 0
    assert "3,589 faces" in words(shown.stdout)


SPEED = {
    "machine": {"processor": "A 64-bit one (avx2)", "threads": 2},
    "engines": {"torch": {"ms_per_face": 8.04, "faces_per_s": 250.0}},
    "photos_per_s": 5.25,
}


def test_models_stand_side_by_side_with_their_times(models):
    shown = models(
        model_info(metrics={"validation": FIGURES}, speed=SPEED),
        model_info("resnet50", metrics={}, speed={}),
    )
    lines = [words(line) for line in shown.stdout.splitlines()]
    assert lines[0] == "mobilenet_v2 resnet50"
    assert "accuracy, % 67.9 (66.5 to 69.5) –" in lines
    assert "ms for one face, torch 8.0 –" in lines
    assert "faces a second, torch 250.0 –" in lines
    assert "photos a second 5.2 –" in lines
    assert lines[-1] == "Times and photos: A 64-bit one (avx2), 2 threads."


def test_markdown_is_the_same_table(models):
    shown = models(
        model_info(metrics={"validation": FIGURES}, speed=SPEED), arguments=["--markdown"]
    )
    assert shown.stdout.startswith(
        "| | mobilenet_v2 |\n|---|---|\n| accuracy, % | 67.9 (66.5 to 69.5) |\n"
    )
    assert shown.stdout.endswith("| photos a second | 5.2 |\n")


def test_models_are_held_against_each_other_where_that_is_on_record(models):
    def told(name, other, value, interval):
        gap = {"accuracy": {"value": value, "interval": interval}, "mcnemar_p": 0.0176}
        return model_info(name, metrics={"validation": {**FIGURES, "against": {other: gap}}})

    pair = (
        told("mobilenet_v2", "ensemble", -0.007, [-0.0128, -0.0011]),
        told("ensemble", "mobilenet_v2", 0.007, [0.0011, 0.0128]),
    )
    lines = [words(line) for line in models(*pair).stdout.splitlines()]
    assert lines[-2:] == [
        "accuracy compared difference in points McNemar p",
        "mobilenet_v2 against ensemble -0.7 (-1.3 to -0.1) 0.018",
    ]
    shown = models(*pair, arguments=["--markdown"])
    assert shown.stdout.endswith(
        "| mobilenet_v2 against ensemble | -0.7 (-1.3 to -0.1) | 0.018 |\n"
    )
    assert "McNemar" not in models(pair[0], model_info("ensemble")).stdout


def test_json_holds_everything(models):
    shown = models(
        model_info(metrics={"validation": FIGURES}), untrained("resnet50"), arguments=["--json"]
    )
    one, other = json.loads(shown.stdout)
    assert one == {
        "name": "mobilenet_v2",
        "trained": True,
        "input_px": 96,
        "parameters": 2_232_839,
        "megabytes": 4.6,
        "metrics": {"validation": FIGURES},
        "speed": {},
        "how_to_get": "",
    }
    assert (other["trained"], other["parameters"]) == (False, None)


def test_missing_manifest_ends_with_3(monkeypatch):
    def fail():
        raise WeightsMissing("There is no manifest.json.", hint="Restore it.")

    monkeypatch.setattr(core, "model_catalog", fail)
    shown = CliRunner().invoke(main.app, ["models"])
    assert (shown.exit_code, shown.stdout) == (3, "")
    assert shown.stderr == "Error: There is no manifest.json.\nRestore it.\n"


def test_listing_loads_no_network_library(root):
    code = (
        "import sys; from cli.main import app\n"
        "try: app(['models', '--json'])\n"
        "finally: sys.stderr.write(','.join({'torch', 'mediapipe', 'openvino'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert shown.stderr == ""
