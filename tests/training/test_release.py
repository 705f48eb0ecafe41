"""`make weights` publishes only weights that pass the release gate."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

EMOTION = """#!/bin/sh
# Replaces hours of training: a run leaves weights, publishing copies them.
echo "$@" >> log
while [ $# -gt 0 ]; do
    case $1 in
        gate) [ ! -e behind ] || exit 1 ;;
        --out) mkdir -p "$2" && echo new > "$2/manifest.json" ;;
        --publish) echo new > "$2/manifest.json" ;;
    esac
    shift
done
"""


@pytest.fixture
def checkout(root, tmp_path):
    """A folder with the script, old weights, and a program that trains instantly."""
    if sys.platform == "win32":
        pytest.skip("needs a POSIX shell")
    for folder in (".ci", ".venv/bin", "weights"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(root / ".ci" / "weights", tmp_path / ".ci")
    (tmp_path / "weights" / "manifest.json").write_text("old\n", encoding="utf-8")
    (tmp_path / "weights" / "compact.md").write_text("the detector\n", encoding="utf-8")
    program = tmp_path / ".venv" / "bin" / "emotion"
    program.write_text(EMOTION, encoding="utf-8")
    program.chmod(0o755)
    return tmp_path


def make_weights(checkout):
    variables = {"DATA": "faces.zip", "VOTES": "votes.csv"}
    return subprocess.run(
        [checkout / ".ci" / "weights"],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )


def read_published(checkout):
    return (checkout / "weights" / "manifest.json").read_text(encoding="utf-8")


def test_weights_that_fail_the_gate_do_not_replace_those_in_use(checkout):
    (checkout / "behind").touch()
    assert make_weights(checkout).returncode == 1
    assert read_published(checkout) == "old\n"


def test_weights_that_pass_are_published_beside_the_detector(checkout):
    finished = make_weights(checkout)
    assert finished.returncode == 0, finished.stderr
    assert read_published(checkout) == "new\n"
    assert (checkout / "weights" / "compact.md").exists()
    for line in (checkout / "log").read_text(encoding="utf-8").splitlines():
        # Every step but the last works on the candidate, which includes the detector.
        assert "--weights weights" not in line
        assert "--publish weights" not in line
    assert (checkout / "runs" / "candidate" / "compact.md").exists()
