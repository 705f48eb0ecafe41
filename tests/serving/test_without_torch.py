"""What `make app` installs answers as the full installation does, byte for byte."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.browser.serving import ROOT
from tests.serving.answers import collect_answers, list_missing_modules, write_refusal

APP_REQUIREMENTS = ROOT / "requirements-app.txt"


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The answers of this installation."""
    return collect_answers(sys.executable, tmp_path_factory.mktemp("full"), {})


@pytest.fixture(scope="module")
def refusal(tmp_path_factory):
    """Variables with which no package can be imported that the app's requirements do not bring."""
    missing = list_missing_modules(APP_REQUIREMENTS)
    assert {"torch", "torchvision", "facenet_pytorch", "mediapipe", "jax", "scipy"} <= missing
    assert not {"cv2", "openvino", "numpy", "streamlit", "gradio", "PIL"} & missing
    return write_refusal(missing, tmp_path_factory.mktemp("refusal"))


@pytest.mark.timeout(900)
def test_answers_need_no_package_of_training(expected, refusal, tmp_path):
    found = collect_answers(sys.executable, tmp_path, refusal)
    assert found == expected
    assert expected["HTTP API"] == expected["demo"]
    assert b'"top": "happy"' in expected["standard"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("train", "--model", "mobilenet_v2", "--data", "tests", "--out", "x"), "make training"),
        (("export", "--out", "x"), "make training"),
        (("analyze", "docs/images/astronaut.jpg", "--device", "cuda"), "make training"),
    ],
)
def test_what_needs_pytorch_says_how_to_install_it(refusal, command, message):
    run = subprocess.run(
        [sys.executable, "-m", "cli", *command],
        cwd=ROOT,
        env={"PATH": "", **refusal},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fresh_installation_of_the_app_answers_as_the_full_one(expected, tmp_path):
    made = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", made], check=True)
    python = made / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--requirement", APP_REQUIREMENTS]
    subprocess.run([*install, "--constraint", ROOT / "constraints.txt"], check=True, cwd=ROOT)
    lacks = [python, "-c", "import importlib.util as u, sys; sys.exit(bool(u.find_spec('torch')))"]
    subprocess.run(lacks, check=True)
    assert collect_answers(python, tmp_path, {}) == expected
