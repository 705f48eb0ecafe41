"""`make space`: the folder it writes is complete, small, and starts by itself."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from subprocess import PIPE

import httpx
import pytest
from gradio_client import Client, handle_file
from packaging.requirements import Requirement

from core import ProjectError, model_catalog
from core.diagnostics.system import PYTHONS
from frontends.gradio_app import about_tab
from frontends.sample import SAMPLE_NAME, sample_photo

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell and tar")

COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
"""Colours that a Space's front matter may name."""
FOR_A_GPU = {"torch", "torchvision", "facenet_pytorch"}
"""Packages that are used only where they are installed and there is a GPU."""
HIDDEN = "__editable__"
"""In the name of the import hook that finds this repository from anywhere; off in this test."""


@pytest.fixture(scope="module")
def space(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make space` writes."""
    folder = tmp_path_factory.mktemp("space") / "made"
    result = subprocess.run([root / ".ci" / "space", folder], check=True, capture_output=True)
    assert str(folder) in result.stdout.decode()
    return folder


@pytest.fixture(scope="module")
def front_matter(space: Path) -> dict[str, str]:
    """The README's settings."""
    _, settings, _ = (space / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    pairs = (line.split(": ", 1) for line in settings.splitlines())
    return {key: value.strip('"') for key, value in pairs}


def lines_of(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def imports_at_start(file: Path) -> set[tuple[str, str]]:
    """Return the modules that ``file`` imports at its start, with the dots of relative imports."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "", "." * node.level))
    return found


def test_make_writes_the_space(root):
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^space: .*\n\t@\.ci/space dist/space$", makefile, re.MULTILINE)
    assert "dist/" in lines_of(root / ".gitignore")


def test_app_file_has_two_lines(space):
    assert len(lines_of(space / "app.py")) == 2


def test_front_matter_is_complete(space, front_matter, root):
    assert front_matter["sdk"] == "gradio"
    assert f"gradio=={front_matter['sdk_version']}" in lines_of(root / "constraints.txt")
    assert (space / front_matter["app_file"]).is_file()
    assert tuple(map(int, front_matter["python_version"].split("."))) in PYTHONS
    assert {front_matter["colorFrom"], front_matter["colorTo"]} <= COLOURS
    assert len(front_matter["short_description"]) <= 60
    assert front_matter["license"] == "mit"


def test_requirements_are_few_and_in_the_tested_versions(space, root):
    needed = lines_of(space / "requirements.txt")
    assert set(needed) <= set(lines_of(root / "constraints.txt"))
    listed = [line.partition("#")[0].strip() for line in lines_of(root / "requirements-app.txt")]
    known = {Requirement(line).name.lower() for line in listed if line}
    assert {Requirement(line).name for line in needed} <= known
    assert len(needed) < len(known)


def test_everything_imported_is_a_requirement(space):
    needed = {Requirement(line).name for line in lines_of(space / "requirements.txt")}
    owners = metadata.packages_distributions()
    for file in space.rglob("*.py"):
        names = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        modules = {a.name for n in names if isinstance(n, ast.Import) for a in n.names}
        modules |= {
            n.module for n in names if isinstance(n, ast.ImportFrom) and n.module and not n.level
        }
        for top in {module.partition(".")[0] for module in modules}:
            if top not in {*sys.stdlib_module_names, "core", "frontends", *FOR_A_GPU}:
                owned_by = {owner.lower() for owner in owners.get(top, [])}
                assert owned_by & needed, f"{file.relative_to(space)} imports {top}"


def test_every_imported_module_is_included(space):
    for file in space.rglob("*.py"):
        for module, dots in imports_at_start(file):
            if dots:
                base = file.parents[len(dots) - 1]
            elif module.partition(".")[0] in {"core", "frontends"}:
                base = space
            else:
                continue
            place = base.joinpath(*module.split(".")) if module else base
            there = place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()
            assert there, f"{file.relative_to(space)} imports {dots}{module}"


def test_networks_and_their_cards_are_complete(space):
    manifest = json.loads((space / "weights" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["models"]
    for name, entry in manifest["models"].items():
        assert (space / "weights" / entry["file"]).stat().st_size == entry["bytes"]
        assert (space / "weights" / f"{name}.md").is_file()


def test_space_contains_nothing_superfluous(space):
    files = [str(file.relative_to(space)) for file in space.rglob("*") if file.is_file()]
    assert not [file for file in files if re.search("__pycache__|streamlit|tests|training", file)]
    size = sum((space / file).stat().st_size for file in files)
    weights = sum(file.stat().st_size for file in (space / "weights").iterdir())
    assert size - weights < 2_000_000


def test_space_includes_the_limits_of_the_answers(space, root):
    short_form = about_tab.SHORT_FORM.relative_to(root)
    assert (space / short_form).read_bytes() == (root / short_form).read_bytes()


@pytest.fixture
def started(space: Path, root: Path, tmp_path: Path) -> Iterator[str]:
    """The address of the demo, started from the folder without access to this repository."""
    alone = (
        "import runpy, sys\n"
        f"sys.meta_path[:] = [each for each in sys.meta_path if {HIDDEN!r} not in repr(each)]\n"
        f"sys.path[:] = ['.', *(each for each in sys.path if each not in ('', {str(root)!r}))]\n"
        "runpy.run_path('app.py', run_name='__main__')\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path), "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    for name in ("PYTHONPATH", "GRADIO_TEMP_DIR"):
        environment.pop(name, None)
    with subprocess.Popen(
        [sys.executable, "-c", alone], cwd=space, env=environment, stderr=PIPE, text=True
    ) as server:
        assert server.stderr is not None
        try:
            result = iter(server.stderr.readline, "")
            yield next(re.findall(r"http://\S+", line)[0] for line in result if "http://" in line)
        finally:
            server.terminate()


@pytest.mark.slow
def test_space_starts_and_answers_without_the_repository(started, tmp_path):
    try:
        assert any(info.trained for info in model_catalog())
    except ProjectError as error:
        pytest.skip(f"needs the shipped weights: {error.message}")
    (tmp_path / SAMPLE_NAME).write_bytes(sample_photo())
    client = Client(started, verbose=False)
    *_, result = client.predict(handle_file(tmp_path / SAMPLE_NAME), api_name="/analyze")
    assert [face["top"] for face in json.loads(result)["faces"]] == ["happy"]
    assert "expressions, not feelings" in httpx.get(f"{started}config", timeout=60).text
