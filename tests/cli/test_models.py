"""`emotion models`: figures of the trained models, and how to train the others."""

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
    "people": {"agreement": 0.8312, "agreement_interval": [0.82, 0.8441]},
}


@pytest.fixture
def models(monkeypatch):
    """Run the command on a fake catalogue."""

    def run(*catalog, arguments=()):
        monkeypatch.setattr(core, "model_catalog", lambda: catalog)
        return CliRunner().invoke(main.app, ["models", *arguments])

    return run


def join_words(text):
    return " ".join(text.split())


def test_trained_model_is_listed_with_its_figures_and_intervals(models):
    result = models(model_info(metrics={"validation": FIGURES}))
    assert result.exit_code == 0
    lines = [join_words(line) for line in result.stdout.splitlines()]
    assert lines[:2] == [
        "Model agrees with most people, % ms a face file, MB",
        "mobilenet_v2 83.1 (82.0 to 84.4) – 4.6",
    ]
    assert lines[3:12] == [
        "All figures mobilenet_v2",
        "agrees with most people, % 83.1",
        "(82.0 to 84.4)",
        "label: accuracy, % 67.9",
        "(66.5 to 69.5)",
        "label: macro-F1, % 63.6",
        "label: calibration error, % 2.9",
        "parameters, millions 2.2",
        "file, MB 4.6",
    ]
    assert "photos" not in result.stdout
    assert "Not trained yet" not in result.stdout


def test_untrained_model_says_how_to_train_it_on_one_line(models):
    result = models(model_info(metrics={"validation": FIGURES}), untrained("inception_v3"))
    command = "emotion train --model inception_v3 --data DIR_OR_ZIP"
    assert f"  inception_v3: {command}\n" in result.stdout


def test_no_trained_model_leaves_no_empty_table(models):
    result = models(untrained("resnet50"))
    assert result.stdout.startswith("Not trained yet:\n")


@pytest.mark.parametrize(
    "metrics", [{}, {"validation": {}}, {"validation": {"accuracy": 0.5}}, {"test": FIGURES}]
)
def test_missing_figures_are_printed_as_missing(models, metrics):
    result = models(model_info(metrics=metrics))
    assert result.exit_code == 0
    assert "measured on –" in join_words(result.stdout)


def test_figures_without_the_data_s_name_are_printed(models):
    result = models(model_info(metrics={"validation": {"n": 3589, "accuracy": 0.7}}))
    assert result.exit_code == 0
    assert "3,589 faces" in join_words(result.stdout)


SPEED = {
    "machine": {"processor": "A 64-bit one (avx2)", "threads": 2},
    "engines": {"torch": {"ms_per_face": 8.04, "faces_per_s": 250.0}},
    "photos_per_s": 5.25,
}


def test_models_stand_side_by_side_with_their_times(models):
    result = models(
        model_info(metrics={"validation": FIGURES}, speed=SPEED),
        model_info("resnet50", metrics={}, speed={}),
    )
    lines = [join_words(line) for line in result.stdout.splitlines()]
    assert "All figures mobilenet_v2 resnet50" in lines
    assert "label: accuracy, % 67.9 –" in lines
    assert "ms for one face, torch 8.0 –" in lines
    assert "faces a second, torch 250.0 –" in lines
    assert "photos a second 5.2 –" in lines
    assert lines[-1] == "Times and photos: A 64-bit one (avx2), 2 threads."


def test_markdown_is_the_same_table(models):
    result = models(
        model_info(metrics={"validation": FIGURES}, speed=SPEED), arguments=["--markdown"]
    )
    assert result.stdout.startswith(
        "| | mobilenet_v2 |\n|---|---|\n| agrees with most people, % | 83.1 (82.0 to 84.4) |\n"
    )
    assert result.stdout.endswith("| photos a second | 5.2 |\n")


def test_recorded_comparisons_of_models_are_printed(models):
    def make_model(name, other, value, interval):
        gap = {"accuracy": {"value": value, "interval": interval}, "mcnemar_p": 0.0176}
        return model_info(name, metrics={"validation": {**FIGURES, "against": {other: gap}}})

    pair = (
        make_model("mobilenet_v2", "ensemble", -0.007, [-0.0128, -0.0011]),
        make_model("ensemble", "mobilenet_v2", 0.007, [0.0011, 0.0128]),
    )
    lines = [join_words(line) for line in models(*pair).stdout.splitlines()]
    assert lines[-2:] == [
        "label accuracy compared difference in points McNemar p",
        "mobilenet_v2 against ensemble -0.7 (-1.3 to -0.1) 0.018",
    ]
    result = models(*pair, arguments=["--markdown"])
    assert result.stdout.endswith(
        "| mobilenet_v2 against ensemble | -0.7 (-1.3 to -0.1) | 0.018 |\n"
    )
    assert "McNemar" not in models(pair[0], model_info("ensemble")).stdout


def test_json_holds_all_figures(models):
    result = models(
        model_info(metrics={"validation": FIGURES}), untrained("resnet50"), arguments=["--json"]
    )
    trained, untrained_model = json.loads(result.stdout)
    assert trained == {
        "name": "mobilenet_v2",
        "trained": True,
        "input_px": 96,
        "parameters": 2_232_839,
        "megabytes": 4.6,
        "metrics": {"validation": FIGURES},
        "speed": {},
        "how_to_get": "",
    }
    assert (untrained_model["trained"], untrained_model["parameters"]) == (False, None)


def test_missing_manifest_ends_with_3(monkeypatch):
    def fail():
        raise WeightsMissing("There is no manifest.json.", hint="Restore it.")

    monkeypatch.setattr(core, "model_catalog", fail)
    result = CliRunner().invoke(main.app, ["models"])
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "Error: There is no manifest.json.\nRestore it.\n"


def test_listing_loads_no_network_library(root):
    code = (
        "import sys; from cli.main import app\n"
        "try: app(['models', '--json'])\n"
        "finally: sys.stderr.write(','.join({'torch', 'mediapipe', 'openvino'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
