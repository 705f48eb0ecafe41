"""The repository as a whole: whose code runs, what is declared, how big files are."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

OURS = ("core", "cli", "training", "frontends")
MAX_LINES = 400
"""A file that needs more does more than one thing."""
NAMES_OF_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.fixture(scope="session")
def owners() -> Mapping[str, list[str]]:
    """The distributions that own each import name, in lower case."""
    found = metadata.packages_distributions()
    return {name: [owner.lower() for owner in owners] for name, owners in found.items()}


def tracked(root: Path, pattern: str = "") -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("needs a git checkout to tell our files from others")
    paths = (root / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and path.match(pattern or "*")]


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", OURS)
def test_package_comes_from_this_repository(root, name):
    assert Path(import_module(name).__path__[0]).resolve() == root / name


@pytest.mark.parametrize("name", OURS)
def test_no_other_distribution_owns_our_names(owners, name):
    assert set(owners.get(name, [])) <= {"photo-emotion"}


@pytest.mark.parametrize(
    "file",
    ["requirements.txt", "requirements-dev.txt", "requirements-docs.txt", "requirements-ray.txt"],
)
def test_every_bound_has_its_reason_beside_it(root, file):
    for line in lines_of(root / file):
        text, _, reason = line.partition("#")
        if text.strip() and Requirement(text.strip()).specifier:
            assert reason.strip(), f"{file}: why {text.strip()}?"


def test_requirements_do_not_name_the_project_itself(root):
    assert not [line for line in lines_of(root / "requirements.txt") if line.startswith("-")]


def test_constraints_are_plain_versions(root):
    for line in lines_of(root / "constraints.txt"):
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*==[0-9][0-9A-Za-z.]*", line), line


def test_constraints_hold_one_version_of_every_requirement(root):
    tested = [line.partition("==") for line in lines_of(root / "constraints.txt")]
    versions = {name: version for name, _, version in tested}
    assert len(versions) == len(tested)
    for file in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-docs.txt",
        "requirements-ray.txt",
    ):
        for line in lines_of(root / file):
            if text := line.partition("#")[0].strip():
                requirement = Requirement(text)
                assert requirement.specifier.contains(versions[requirement.name.lower()]), text


def test_no_file_names_a_package_index(root):
    index = re.compile(r"--(?:extra-)?index-url|--find-links|https?://\S*/simple\b")
    here = Path(__file__)
    for path in tracked(root):
        if path != here and path.suffix in {".txt", ".toml", ".cfg", ".md", ".py", ".sh", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            found = index.search(text.replace("--no-emit-index-url", ""))
            assert not found, f"{path.relative_to(root)}: {found}"


def test_no_source_file_is_too_long(root):
    lengths = {path.relative_to(root): len(lines_of(path)) for path in tracked(root, "*.py")}
    assert not {path: count for path, count in lengths.items() if count > MAX_LINES}


def test_no_file_is_named_after_nothing(root):
    assert not [path for path in tracked(root, "*.py") if path.stem in NAMES_OF_NOTHING]


def imported_by(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def declared_names(root: Path) -> set[str]:
    names = ("requirements.txt", "requirements-ray.txt", "requirements-int8.txt")
    files = [root / name for name in names]
    texts = (line.partition("#")[0].strip() for file in files for line in lines_of(file))
    return {Requirement(text).name.lower() for text in texts if text}


def test_everything_imported_is_a_declared_requirement(root, owners):
    declared = declared_names(root)
    for path in tracked(root, "*.py"):
        if path.relative_to(root).parts[0] in OURS:
            for name in imported_by(path) - set(OURS) - sys.stdlib_module_names:
                # An optional one need not be installed; it is called like its module then.
                assert declared & set(owners.get(name, [name])), (
                    f"{path.relative_to(root)} imports {name}"
                )


def test_every_requirement_is_imported_or_says_what_it_is_for(root, owners):
    files = [path for path in tracked(root, "*.py") if path.relative_to(root).parts[0] in OURS]
    imported = set().union(*map(imported_by, files))
    used = {owner for name in imported for owner in owners.get(name, [])}
    for line in lines_of(root / "requirements.txt"):
        text, _, reason = line.partition("#")
        if text.strip():
            assert Requirement(text.strip()).name.lower() in used or reason.strip(), text
