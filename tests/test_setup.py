"""Setting up from a fresh clone: which Python is taken, and when installing is repeated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell and make")

FAILING_SHIM = "echo 'pyenv: command not found' >&2; exit 127"


@pytest.fixture
def find_python(root, tmp_path):
    """Runs the search on a PATH that holds only the given scripts, and what a shell needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "cat", "uname"):
        (folder / tool).symlink_to(shutil.which(tool))

    def run(scripts, **environment):
        for name, body in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
        return subprocess.run(
            [root / ".ci" / "find-python"],
            env={"PATH": str(folder), "HOME": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def fitting():
    """The body of a script that behaves as the Python these tests run with."""
    return f'exec "{sys.executable}" "$@"'


def test_fitting_python_is_found(find_python, fitting):
    found = find_python({"python3": fitting})
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.strip() == sys.executable


def test_shim_that_fails_is_passed_over(find_python, fitting):
    found = find_python({"python3.12": FAILING_SHIM, "python3.11": fitting})
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.strip() == sys.executable


def test_pyenv_s_pythons_are_found_without_being_on_the_path(find_python, fitting, tmp_path):
    python = tmp_path / ".pyenv" / "versions" / "3.12.1" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{fitting}\n", encoding="utf-8")
    python.chmod(0o755)
    assert find_python({}).stdout.strip() == sys.executable


def test_without_any_the_message_tells_what_there_is_and_what_to_install(find_python):
    old = 'test "$1" = --version && echo Python 3.9.2'
    found = find_python({"python3": old})
    assert found.returncode == 1
    assert found.stdout == ""
    assert "needs Python 3.11 or 3.12" in found.stderr
    assert "python3 is Python 3.9.2" in found.stderr
    assert "apt-get install python3.11" in found.stderr


def test_python_that_was_named_and_does_not_fit_is_not_replaced(find_python, fitting):
    found = find_python({"python3": fitting, "mine": "exit 1"}, PYTHON="mine")
    assert found.returncode == 1
    assert found.stdout == ""
    assert "PYTHON=mine" in found.stderr


@pytest.fixture
def checkout(root, tmp_path):
    """The files that set-up reads, with an installer that only writes down its calls."""
    shutil.copy(root / "Makefile", tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml"):
        # An old date, so that touching one later makes it newer on any file system.
        shutil.copy(root / name, tmp_path)
        os.utime(tmp_path / name, (0, 0))
    tool = '#!/bin/sh\nmkdir -p .venv/bin; cp "$0" .venv/bin/emotion; echo $* >>calls\n'
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "install").write_text(tool, encoding="utf-8")
    (tmp_path / ".ci" / "install").chmod(0o755)

    def make(*targets):
        (tmp_path / "calls").write_text("", encoding="utf-8")
        environment = {key: value for key, value in os.environ.items() if key != "MAKEFLAGS"}
        subprocess.run(
            ["make", *targets], cwd=tmp_path, env=environment, check=True, capture_output=True
        )
        return (tmp_path / "calls").read_text(encoding="utf-8").splitlines()

    make.folder = tmp_path
    return make


def test_app_installs_looks_at_the_installation_and_starts_in_this_order(checkout):
    assert checkout("app") == ["requirements.txt", "doctor --fix", "app"]


def test_second_start_installs_nothing(checkout):
    checkout("app")
    assert checkout("app") == ["doctor --fix", "app"]


@pytest.mark.parametrize("changed", ["requirements.txt", "constraints.txt", "pyproject.toml"])
def test_changed_requirements_are_installed_at_the_next_start(checkout, changed):
    checkout("app")
    later = (checkout.folder / ".venv/bin/emotion").stat().st_mtime + 1
    os.utime(checkout.folder / changed, (later, later))
    assert checkout("app")[0] == "requirements.txt"


def test_install_repairs_even_when_nothing_changed(checkout):
    checkout("install")
    assert checkout("install") == ["requirements.txt", "doctor --fix"]


@pytest.fixture
def retrain(root, checkout):
    """`make weights` with a tool that writes down its calls and leaves the files of a run."""
    folder = checkout.folder
    shutil.copy(root / ".ci" / "weights", folder / ".ci")
    tool = """#!/bin/sh
echo $* >>calls
if test "$2" = gate -a -e failing; then exit 1; fi
test "$1" = train || exit 0
while test "$1" != --out; do shift; done
mkdir -p $2/checkpoints; touch $2/checkpoints/last.ckpt
test -e broken || touch $2/manifest.json
"""

    def run(**environment):
        (folder / "calls").write_text("", encoding="utf-8")
        checkout("install")
        (folder / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (folder / ".venv" / "bin" / "emotion").write_text(tool, encoding="utf-8")
        (folder / ".venv" / "bin" / "emotion").chmod(0o755)
        (folder / "calls").write_text("", encoding="utf-8")
        values = [f"{name}={value}" for name, value in environment.items()]
        kept = {key: value for key, value in os.environ.items() if key != "MAKEFLAGS"}
        done = subprocess.run(
            ["make", "weights", *values],
            cwd=folder,
            env=kept,
            check=False,
            capture_output=True,
            text=True,
        )
        calls = (folder / "calls").read_text(encoding="utf-8").splitlines()
        return done, [call for call in calls if not call.startswith("doctor")]

    run.folder = folder
    return run


def test_retraining_goes_from_network_to_network_to_their_ensemble(retrain):
    done, calls = retrain(DATA="a.zip b", VOTES="v.csv", INIT_RESNET50="scratch")
    assert done.returncode == 0, done.stderr
    short = [" ".join(call.split()[:3]) for call in calls]
    assert short == [
        "train --model mobilenet_v2",
        "calibrate --model mobilenet_v2",
        "train --model resnet50",
        "calibrate --model resnet50",
        "train --model inception_v3",
        "calibrate --model inception_v3",
        "calibrate --model ensemble",
        "evaluate --data a.zip",
        "study robustness --data",
        "study gate --results",
    ]
    assert all("--data a.zip --data b" in call for call in calls[:-1])
    first, second, third = (call for call in calls if call.startswith("train"))
    assert "--init imagenet --out runs/mobilenet_v2" in first
    teacher = "--teacher runs/mobilenet_v2/mobilenet_v2.safetensors"
    assert f"--init scratch {teacher} --out runs/resnet50" in second
    assert f"{teacher} --teacher runs/resnet50/resnet50.safetensors" in third
    assert calls[-3].endswith("--weights runs/candidate --speed --record --out runs/evaluation")
    assert calls[-2].endswith("--weights runs/candidate --out runs/robustness")
    assert calls[-1].endswith("--results runs/robustness/robustness.json --weights runs/candidate")


def test_retraining_fails_where_the_gate_does(retrain):
    (retrain.folder / "failing").touch()
    done, calls = retrain(DATA="a.zip", VOTES="v.csv")
    assert done.returncode != 0
    assert calls[-1].startswith("study gate")


def test_retraining_goes_on_where_it_was_stopped(retrain):
    (retrain.folder / "broken").touch()
    retrain(DATA="a.zip", VOTES="v.csv")
    (retrain.folder / "broken").unlink()
    (retrain.folder / "runs" / "mobilenet_v2" / "manifest.json").touch()
    _, calls = retrain(DATA="a.zip", VOTES="v.csv")
    trained = [call for call in calls if call.startswith("train")]
    assert [call.split()[2] for call in trained] == ["resnet50", "inception_v3"]
    assert all(call.endswith("--resume") for call in trained)


def test_retraining_without_data_says_what_to_give(retrain):
    done, calls = retrain(VOTES="v.csv")
    assert done.returncode != 0
    assert "DATA='train.zip publictest.zip' VOTES=votes.csv" in done.stderr
    assert calls == []


def test_contributing_guide_explains_every_target(root):
    # Under `make test` it would announce the folder it enters, as makes within makes do.
    command = ["make", "--no-print-directory"]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[1] for line in shown.splitlines()} - {"help"}
    assert {"app", "test"} <= targets
    guide = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert not [target for target in targets if f"`make {target}`" not in guide]
