"""The list of checksums by which `make app HASHES=1` installs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

BLOCK = re.compile(r"^(\S+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


@pytest.fixture
def listed(root):
    """The versions in the list by package."""
    text = (root / "requirements-app.hashes.txt").read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    lines = sum(1 + block[2].count("--hash=") for block in blocks)
    assert lines == len(text.splitlines())  # nothing else is in it
    return {name: version for name, version, _ in blocks}


def test_versions_are_those_that_were_tested(root, listed):
    tested = (root / "constraints.txt").read_text(encoding="utf-8").split()
    assert {f"{name}=={version}" for name, version in listed.items()} <= set(tested)


def test_everything_that_the_app_needs_is_listed(root, listed):
    for line in (root / "requirements-app.txt").read_text(encoding="utf-8").splitlines():
        if text := line.partition("#")[0].strip():
            assert Requirement(text).name.lower() in listed


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("file", "option"),
    [("a.hashes.txt", "--require-hashes"), ("a.txt", "--constraint constraints.txt")],
)
def test_installation_from_the_list_requires_its_checksums(root, tmp_path, file, option):
    scripts, binaries = tmp_path / ".ci", tmp_path / ".venv" / "bin"
    scripts.mkdir()
    binaries.mkdir(parents=True)
    shutil.copy(root / ".ci" / "install", scripts)
    for script, body in {
        scripts / "find-python": "exit 0",
        binaries / "python": 'echo "$@" >>asked',
    }.items():
        script.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        script.chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin"}  # without uv
    subprocess.run([scripts / "install", file], env=environment, check=True, capture_output=True)
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    [line] = [each for each in asked if "--requirement" in each]
    assert f"{option} --requirement {file}" in line
