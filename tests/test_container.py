"""The Dockerfile names only what there is, and starts what `make space` writes."""

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
    """The Dockerfile's instructions in order, continued lines joined."""
    text = (root / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def of_kind(steps: list[tuple[str, str]], kind: str) -> list[str]:
    return [rest for word, rest in steps if word == kind]


@pytest.fixture(scope="module")
def sent(root: Path) -> list[str]:
    """The rules of what is sent to the builder: those that let something through."""
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return [rule[1:] for rule in rules if rule.startswith("!")]


def test_python_is_one_that_the_project_runs_on(steps):
    bases = [re.match(r"python:(\d+)\.(\d+)-", rest) for rest in of_kind(steps, "FROM")]
    assert {tuple(map(int, base.groups())) for base in bases} <= set(PYTHONS)


def test_space_is_written_by_the_script_that_make_runs(steps, root):
    assert ".ci/space /space" in of_kind(steps, "RUN")
    assert "@.ci/space dist/space" in (root / "Makefile").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell and tar")
def test_builder_gets_all_that_the_script_reads(root, tmp_path, sent):
    # The script alone with what passes .dockerignore, as in the first stage.
    for rule in sent:
        assert (root / rule).exists(), f".dockerignore lets {rule} through, which is not there"
        (tmp_path / rule).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / rule).symlink_to(root / rule)
    script = tmp_path / ".ci" / "space"
    script.unlink()
    script.write_bytes((root / ".ci" / "space").read_bytes())
    script.chmod(0o755)
    done = subprocess.run([script, tmp_path / "out"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_copied_is_what_the_script_writes(steps, root):
    script = (root / ".ci" / "space").read_text(encoding="utf-8")
    copied = [rest.split()[1] for rest in of_kind(steps, "COPY") if rest.startswith("--from=space")]
    assert copied[-1] == "/space"
    for file in copied[:-1]:
        assert file.replace("/space", '"$space') + '"' in script


def test_it_starts_the_app_for_the_network_as_the_command_line_would_for_this_computer(steps):
    assert of_kind(steps, "CMD")[-1] == '["python", "app.py"]'
    settings = dict(re.findall(r"(\w+)=(\S+)", " ".join(of_kind(steps, "ENV"))))
    assert settings["GRADIO_SERVER_NAME"] == "0.0.0.0"
    assert settings["GRADIO_SERVER_PORT"] in of_kind(steps, "EXPOSE")
    assert {name for name in settings if name.startswith("GRADIO_SERVER")} <= set(
        gradio_environment(7860)
    )


def test_photos_of_strangers_are_not_answered_by_root(steps):
    kinds = [word for word, _ in steps]
    assert kinds.index("USER") < kinds.index("CMD")
    assert of_kind(steps, "USER")[-1] != "root"


def test_no_data_and_no_secret_is_sent_to_the_builder(sent):
    for private in (".git", ".venv", "runs", "shared", ".streamlit/secrets.toml", "tests"):
        assert not [rule for rule in sent if fnmatch(private, rule)]
