"""The examples of README and guide, run as they stand against a served demo."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import Emotion, read_image, to_json
from tests.browser.serving import gradio
from tests.fakes import FakeAnalyzer, picture, png


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server whose models answer at once."""
    with gradio("tests.frontends.fake_demo") as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the documents' examples are run.

    A drawn face takes the place of the portrait: the model of the served demo knows no other.
    """
    (tmp_path / "docs" / "images").mkdir(parents=True)
    (tmp_path / "docs" / "images" / "astronaut.jpg").write_bytes(png(picture(Emotion.HAPPY)))
    return tmp_path


@pytest.fixture
def expected(folder: Path) -> str:
    """The document for this photo."""
    photo = folder / "docs" / "images" / "astronaut.jpg"
    return to_json(FakeAnalyzer().analyze(read_image(photo)))


def run_there(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def test_snippet_of_the_readme_runs_as_it_stands(address, root, folder):
    readme = (root / "README.md").read_text(encoding="utf-8")
    snippet = re.search(r"```python\n(import json.*?)```", readme, re.DOTALL)[1]
    assert "http://127.0.0.1:7860/" in snippet
    code = snippet.replace("http://127.0.0.1:7860/", address)
    done = run_there(folder, sys.executable, "-c", code)
    assert done.stdout == readme.partition(snippet)[2].split("```")[2].lstrip("\n"), done.stderr


def snippet_of_the_guide(root: Path, language: str, address: str) -> str:
    guide = (root / "docs" / "guide" / "demo.md").read_text(encoding="utf-8")
    # The first; in Python a second one is about films.
    snippet = re.findall(rf"```{language}\n(.*?)```", guide, re.DOTALL)[0]
    usual = "http://127.0.0.1:7860"
    assert usual in snippet
    return snippet.replace(usual, address.rstrip("/"))


def test_python_snippet_of_the_guide_gives_the_document(address, root, folder, expected):
    code = snippet_of_the_guide(root, "python", address) + "print(document, end='')"
    done = run_there(folder, sys.executable, "-c", code)
    assert done.stdout.endswith(expected), done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl, which is absent")
def test_shell_snippet_of_the_guide_gives_the_document(address, root, folder, expected):
    done = run_there(folder, "sh", "-c", snippet_of_the_guide(root, "sh", address))
    assert "event: complete" in done.stdout, done.stderr
    data = done.stdout.rpartition("data: ")[2]
    assert json.loads(data)[2] == expected
