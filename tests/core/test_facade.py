"""The façade is complete, and importing it loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import core

HEAVY = ("torch", "cv2", "numpy", "mediapipe", "openvino", "PIL", "skimage", "facenet_pytorch")


@pytest.mark.parametrize("name", core.__all__)
def test_exported_name_exists_and_is_documented(name):
    value = getattr(core, name)
    assert isinstance(value, str | tuple | Mapping) or value.__doc__


def test_stub_lists_every_name_that_it_imports():
    tree = ast.parse(Path(core.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imported = [
        alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    listed = next(
        ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)
    )
    assert sorted(imported) == sorted(listed) == sorted(core.__all__)


def test_every_error_and_every_type_is_exported():
    from core import errors, types

    public = {
        name
        for module in (errors, types)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and name[0] != "_"
    }
    assert public <= set(core.__all__)


def test_names_are_listed_before_they_are_loaded():
    assert set(core.__all__) <= set(dir(core))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'analyse'"):
        _ = core.analyse


@pytest.mark.parametrize(
    "use",
    [
        "",
        "core.model_names(); core.detector_names()",
        "core.AnalyzerConfig(model='resnet50').digest()",
        "core.Emotion.HAPPY.colour; core.UnknownComponent('a', 'b', ['c'])",
        "dir(core)",
    ],
    ids=["import", "names", "config", "labels and errors", "dir"],
)
def test_light_names_import_nothing_heavy(root, use):
    code = f"import sys, core; {use or 'pass'}; print(*({set(HEAVY)!r} & set(sys.modules)))"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stdout.strip(), shown.stderr) == (0, "", "")


def test_docstring_example_uses_existing_names():
    line = next(line for line in core.__doc__.splitlines() if "import" in line)
    names = line.partition("import ")[2].split(", ")
    assert set(names) <= set(core.__all__)
