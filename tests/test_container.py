"""The Dockerfile builds and starts what `make space` writes."""

from __future__ import annotations

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from cli.serve import gradio_environment
from core.diagnostics.system import PYTHONS


@pytest.fixture(scope="module")
def steps(root: Path) -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order, with continued lines joined."""
    text = (root / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def arguments_of(steps: list[tuple[str, str]], instruction: str) -> list[str]:
    return [rest for word, rest in steps if word == instruction]


@pytest.fixture(scope="module")
def included(root: Path) -> list[str]:
    """Return the paths that .dockerignore lets through to the builder."""
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return [rule[1:] for rule in rules if rule.startswith("!")]


def test_base_can_be_chosen_and_its_python_is_supported_by_the_project(steps):
    assert {rest.split()[0] for rest in arguments_of(steps, "FROM")} == {"${BASE}"}
    assert steps[0][0] == "ARG"  # only one before the first stage holds for all stages
    base = re.fullmatch(r"BASE=python:(\d+)\.(\d+)-\S+@sha256:[0-9a-f]{64}", steps[0][1])
    assert tuple(map(int, base.groups())) in PYTHONS


def test_dockerfile_runs_the_same_script_as_make_space(steps, root):
    assert ".ci/space /space" in arguments_of(steps, "RUN")
    assert "@.ci/space dist/space" in (root / "Makefile").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell and tar")
def test_builder_receives_every_file_that_the_script_reads(root, tmp_path, included):
    # As in the first stage: only the files that pass .dockerignore.
    for rule in included:
        assert (root / rule).exists(), f".dockerignore lets {rule} through, which does not exist"
        (tmp_path / rule).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / rule).symlink_to(root / rule)
    script = tmp_path / ".ci" / "space"
    script.unlink()
    script.write_bytes((root / ".ci" / "space").read_bytes())
    script.chmod(0o755)
    result = subprocess.run([script, tmp_path / "out"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_dockerfile_copies_only_files_that_the_script_writes(steps, root):
    script = (root / ".ci" / "space").read_text(encoding="utf-8")
    copies = [rest for rest in arguments_of(steps, "COPY") if rest.startswith("--from=space")]
    copied = [file for rest in copies for file in rest.split()[1:-1]]
    assert copied[-1] == "/space"
    for file in copied[:-1]:
        assert file.replace("/space", '"$space') + '"' in script


def test_every_package_in_the_container_has_the_tested_version(steps):
    [install] = [rest for rest in arguments_of(steps, "RUN") if rest.startswith("pip install")]
    assert "-c /tmp/constraints.txt" in install


def test_server_listens_to_the_network_with_settings_that_the_command_line_knows(steps):
    assert arguments_of(steps, "CMD")[-1] == '["python", "app.py"]'
    settings = dict(re.findall(r"(\w+)=(\S+)", " ".join(arguments_of(steps, "ENV"))))
    assert settings["GRADIO_SERVER_NAME"] == "0.0.0.0"
    assert settings["GRADIO_SERVER_PORT"] in arguments_of(steps, "EXPOSE")
    assert {name for name in settings if name.startswith("GRADIO_SERVER")} <= set(
        gradio_environment(7860)
    )


def test_server_does_not_run_as_root(steps):
    kinds = [word for word, _ in steps]
    assert kinds.index("USER") < kinds.index("CMD")
    assert arguments_of(steps, "USER")[-1] != "root"


def test_builder_receives_no_data_and_no_secrets(included):
    for private in (".git", ".venv", "runs", "shared", ".streamlit/secrets.toml", "tests"):
        assert not [rule for rule in included if fnmatch(private, rule)]
