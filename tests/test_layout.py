"""The repository as a whole: where code comes from, declared requirements, file sizes and names."""

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
"""A longer file does more than one thing."""
MEANINGLESS_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.fixture(scope="session")
def owners() -> Mapping[str, list[str]]:
    """Map each import name to the distributions that own it, in lower case."""
    distributions = metadata.packages_distributions()
    return {name: [owner.lower() for owner in owners] for name, owners in distributions.items()}


def tracked_files(root: Path, pattern: str = "") -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("needs a git checkout to know which files are ours")
    paths = (root / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and path.match(pattern or "*")]


def read_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", OURS)
def test_package_comes_from_this_repository(root, name):
    assert Path(import_module(name).__path__[0]).resolve() == root / name


@pytest.mark.parametrize("name", OURS)
def test_no_other_distribution_owns_our_names(owners, name):
    assert set(owners.get(name, [])) <= {"photo-emotion"}


def requirement_files(root: Path) -> list[Path]:
    """Return what people write; the list of checksums is made from them."""
    return [file for file in root.glob("requirements*.txt") if ".hashes" not in file.name]


def test_every_version_bound_has_its_reason_beside_it(root):
    for file in requirement_files(root):
        for line in read_lines(file):
            text, _, reason = line.partition("#")
            if text.strip() and Requirement(text.strip()).specifier:
                assert reason.strip(), f"{file.name}: why {text.strip()}?"


def test_requirements_do_not_name_the_project_itself(root):
    assert not [line for line in read_lines(root / "requirements.txt") if line.startswith("-")]


def test_requirements_of_the_app_are_lines_of_all_requirements(root):
    app = {line for line in read_lines(root / "requirements-app.txt") if line[:1].isalnum()}
    assert app
    # The reason may differ in what it is about, but not the version.
    everything = {line.partition("#")[0].strip() for line in read_lines(root / "requirements.txt")}
    assert {line.partition("#")[0].strip() for line in app} < everything


NEEDED_BY_TRAINING = {
    "core/classifiers/architectures.py": {"torch", "torchvision"},
    "core/detectors/compact_network.py": {"torch", "torchvision"},
    "core/faces/covered_network.py": {"torch", "torchvision"},
    "core/detectors/mtcnn.py": {"torch", "facenet_pytorch"},
    "core/runtime/__init__.py": {"torch"},
    "core/runtime/openvino_engine.py": {"torch"},
    "core/runtime/torch_engine.py": {"torch"},
    "core/batch/ray_pool.py": {"ray"},
    "core/portable/graph.py": {"torch"},
    "core/portable/export.py": {"torch"},
    "core/portable/formats.py": {"torch", "onnxruntime"},
    "core/portable/parts.py": {"torch"},
    "core/portable/parity.py": {"skimage"},
    "cli/window_process.py": {"PyQt6", "webview"},
}
"""Files of what answers that import other packages, and only for a GPU, an export or an option."""


def test_everything_that_answering_imports_is_a_requirement_of_the_app(root, owners):
    lines = (line.partition("#")[0].strip() for line in read_lines(root / "requirements-app.txt"))
    declared = {Requirement(line).name.lower() for line in lines if line}
    for path in tracked_files(root, "*.py"):
        file = path.relative_to(root)
        if file.parts[0] in OURS and file.parts[0] != "training":
            allowed = {*OURS, *sys.stdlib_module_names, *NEEDED_BY_TRAINING.get(str(file), ())}
            for name in find_imports(path, at_run_time=True) - allowed:
                assert declared & set(owners.get(name, [name])), f"{file} imports {name}"


def test_constraints_are_plain_versions(root):
    for line in read_lines(root / "constraints.txt"):
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*==[0-9][0-9A-Za-z.]*", line), line


def test_constraints_hold_one_version_of_every_requirement(root):
    pairs = [line.partition("==") for line in read_lines(root / "constraints.txt")]
    versions = {name: version for name, _, version in pairs}
    assert len(versions) == len(pairs)
    for file in requirement_files(root):
        for line in read_lines(file):
            if text := line.partition("#")[0].strip():
                requirement = Requirement(text)
                assert requirement.specifier.contains(versions[requirement.name.lower()]), text


def test_every_optional_part_is_locked(root):
    script = (root / ".ci" / "lock").read_text(encoding="utf-8")
    resolved = set(re.findall(r"requirements[\w-]*\.txt", script))
    assert {file.name for file in requirement_files(root)} <= resolved


def test_no_file_names_a_package_index(root):
    index = re.compile(r"--(?:extra-)?index-url|--find-links|https?://\S*/simple\b")
    here = Path(__file__)
    for path in tracked_files(root):
        if path != here and path.suffix in {".txt", ".toml", ".cfg", ".md", ".py", ".sh", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            match = index.search(text.replace("--no-emit-index-url", ""))
            assert not match, f"{path.relative_to(root)}: {match}"


def test_no_source_file_is_too_long(root):
    lengths = {
        path.relative_to(root): len(read_lines(path)) for path in tracked_files(root, "*.py")
    }
    assert not {path: count for path, count in lengths.items() if count > MAX_LINES}


def test_every_file_name_says_what_is_inside(root):
    assert not [path for path in tracked_files(root, "*.py") if path.stem in MEANINGLESS_NAMES]


def find_imports(path: Path, *, at_run_time: bool = False) -> set[str]:
    """Return the first names of all imports; ``at_run_time`` leaves out those for type checkers."""
    names = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if at_run_time:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                node.body = [ast.Pass()]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def read_requirement_names(root: Path) -> set[str]:
    files = [root / f"requirements{kind}.txt" for kind in ("", "-ray", "-int8", "-onnx")]
    texts = (line.partition("#")[0].strip() for file in files for line in read_lines(file))
    return {Requirement(text).name.lower() for text in texts if text}


def test_everything_imported_is_a_declared_requirement(root, owners):
    declared = read_requirement_names(root)
    for path in tracked_files(root, "*.py"):
        if path.relative_to(root).parts[0] in OURS:
            for name in find_imports(path) - set(OURS) - sys.stdlib_module_names:
                # An optional package may be missing; its name is that of its module.
                assert declared & set(owners.get(name, [name])), (
                    f"{path.relative_to(root)} imports {name}"
                )


def test_every_requirement_is_imported_or_has_a_comment(root, owners):
    files = [
        path for path in tracked_files(root, "*.py") if path.relative_to(root).parts[0] in OURS
    ]
    imported = set().union(*map(find_imports, files))
    used = {owner for name in imported for owner in owners.get(name, [])}
    for line in read_lines(root / "requirements.txt"):
        text, _, reason = line.partition("#")
        if text.strip():
            assert Requirement(text.strip()).name.lower() in used or reason.strip(), text
