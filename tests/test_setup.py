"""Setting up a fresh clone: which Python is used, and when `make` installs again."""

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
    """Run .ci/find-python with a PATH of only the given scripts, and the tools a shell needs."""
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
def suitable():
    """Return the body of a script that runs the Python of these tests."""
    return f'exec "{sys.executable}" "$@"'


def test_suitable_python_is_found(find_python, suitable):
    found = find_python({"python3": suitable})
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.strip() == sys.executable


def test_shim_that_fails_is_skipped(find_python, suitable):
    found = find_python({"python3.12": FAILING_SHIM, "python3.11": suitable})
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.strip() == sys.executable


def test_pythons_of_pyenv_are_found_though_they_are_not_on_the_path(
    find_python, suitable, tmp_path
):
    python = tmp_path / ".pyenv" / "versions" / "3.12.1" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{suitable}\n", encoding="utf-8")
    python.chmod(0o755)
    assert find_python({}).stdout.strip() == sys.executable


def test_without_a_suitable_python_the_message_says_what_was_found_and_what_to_install(find_python):
    old = 'test "$1" = --version && echo Python 3.9.2'
    found = find_python({"python3": old})
    assert found.returncode == 1
    assert found.stdout == ""
    assert "needs Python 3.11 or 3.12" in found.stderr
    assert "python3 is Python 3.9.2" in found.stderr
    assert "apt-get install python3.11" in found.stderr


def test_python_that_is_named_but_unsuitable_is_not_replaced(find_python, suitable):
    found = find_python({"python3": suitable, "mine": "exit 1"}, PYTHON="mine")
    assert found.returncode == 1
    assert found.stdout == ""
    assert "PYTHON=mine" in found.stderr


@pytest.fixture
def checkout(root, tmp_path):
    """Return a `make` in a folder whose installer and `emotion` only record how they are called."""
    shutil.copy(root / "Makefile", tmp_path)
    kinds = ("requirements.txt", "requirements-app.txt", "requirements-dev.txt")
    for name in (*kinds, "constraints.txt", "pyproject.toml"):
        # An old date, so that a file touched later is newer on any file system.
        shutil.copy(root / name, tmp_path)
        os.utime(tmp_path / name, (0, 0))
    tool = '#!/bin/sh\nmkdir -p .venv/bin; cp "$0" .venv/bin/emotion; echo $* >>calls\n'
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "install").write_text(tool, encoding="utf-8")
    (tmp_path / ".ci" / "install").chmod(0o755)

    def make(*targets):
        (tmp_path / "calls").write_text("", encoding="utf-8")
        env = {key: value for key, value in os.environ.items() if key != "MAKEFLAGS"}
        subprocess.run(["make", *targets], cwd=tmp_path, env=env, check=True, capture_output=True)
        return (tmp_path / "calls").read_text(encoding="utf-8").splitlines()

    make.folder = tmp_path
    return make


def test_make_app_installs_then_runs_the_doctor_then_starts_the_app(checkout):
    assert checkout("app") == ["requirements-app.txt", "doctor --fix", "app"]


def test_second_start_installs_nothing(checkout):
    checkout("app")
    assert checkout("app") == ["doctor --fix", "app"]


@pytest.mark.parametrize("changed", ["requirements-app.txt", "constraints.txt", "pyproject.toml"])
def test_changed_requirements_are_installed_at_the_next_start(checkout, changed):
    checkout("app")
    later = (checkout.folder / ".venv/bin/emotion").stat().st_mtime + 1
    os.utime(checkout.folder / changed, (later, later))
    assert checkout("app")[0] == "requirements-app.txt"


def test_make_install_repairs_what_is_installed_even_if_nothing_changed(checkout):
    checkout("install")
    assert checkout("install") == ["requirements-app.txt", "doctor --fix"]
    assert checkout("training") == ["requirements.txt", "doctor --fix"]
    assert checkout("install") == ["requirements.txt", "doctor --fix"]


def test_app_installs_nothing_where_everything_is_installed(checkout):
    checkout("training")
    assert checkout("app") == ["doctor --fix", "app"]
    assert checkout("training") == ["doctor --fix"]


@pytest.fixture
def retrain(root, checkout):
    """Return a `make weights` whose `emotion` records its calls and writes the files of a run."""
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
        checkout("training")
        (folder / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (folder / ".venv" / "bin" / "emotion").write_text(tool, encoding="utf-8")
        (folder / ".venv" / "bin" / "emotion").chmod(0o755)
        (folder / "calls").write_text("", encoding="utf-8")
        values = [f"{name}={value}" for name, value in environment.items()]
        env = {key: value for key, value in os.environ.items() if key != "MAKEFLAGS"}
        result = subprocess.run(
            ["make", "weights", *values],
            cwd=folder,
            env=env,
            check=False,
            capture_output=True,
            text=True,
        )
        calls = (folder / "calls").read_text(encoding="utf-8").splitlines()
        return result, [call for call in calls if not call.startswith("doctor")]

    run.folder = folder
    return run


def test_retraining_trains_each_network_and_then_fits_their_ensemble(retrain):
    result, calls = retrain(DATA="a.zip b", VOTES="v.csv", INIT_RESNET50="scratch")
    assert result.returncode == 0, result.stderr
    assert [" ".join(call.split()[:3]) for call in calls] == [
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
    calibrations = [call for call in calls if call.startswith("calibrate")]
    assert all(" --votes v.csv --weights " in call for call in calibrations)
    first, second, third = (call for call in calls if call.startswith("train"))
    assert "--init imagenet --out runs/mobilenet_v2" in first
    teacher = "--teacher runs/mobilenet_v2/mobilenet_v2.safetensors"
    assert f"--init scratch {teacher} --out runs/resnet50" in second
    assert f"{teacher} --teacher runs/resnet50/resnet50.safetensors" in third
    assert calls[-3].endswith("--weights runs/candidate --speed --record --out runs/evaluation")
    assert calls[-2].endswith("--weights runs/candidate --out runs/robustness")
    assert calls[-1].endswith("--results runs/robustness/robustness.json --weights runs/candidate")


def test_retraining_fits_the_blend_of_both_heads_to_natural_photos(retrain):
    result, calls = retrain(DATA="a.zip", VOTES="v.csv", PHOTOS="p.zip")
    assert result.returncode == 0, result.stderr
    calibrations = [call for call in calls if call.startswith("calibrate")]
    assert len(calibrations) == 4
    assert all(" --votes v.csv --photos p.zip --weights " in call for call in calibrations)
    assert not any("--photos" in call for call in calls if call not in calibrations)


def test_retraining_fails_if_the_release_gate_fails(retrain):
    (retrain.folder / "failing").touch()
    result, calls = retrain(DATA="a.zip", VOTES="v.csv")
    assert result.returncode != 0
    assert calls[-1].startswith("study gate")


def test_retraining_continues_where_it_was_stopped(retrain):
    (retrain.folder / "broken").touch()
    retrain(DATA="a.zip", VOTES="v.csv")
    (retrain.folder / "broken").unlink()
    (retrain.folder / "runs" / "mobilenet_v2" / "manifest.json").touch()
    _, calls = retrain(DATA="a.zip", VOTES="v.csv")
    trained = [call for call in calls if call.startswith("train")]
    assert [call.split()[2] for call in trained] == ["resnet50", "inception_v3"]
    assert all(call.endswith("--resume") for call in trained)


def test_retraining_without_data_says_what_is_needed(retrain):
    result, calls = retrain(VOTES="v.csv")
    assert result.returncode != 0
    assert "DATA='train.zip publictest.zip' VOTES=votes.csv" in result.stderr
    assert calls == []


def test_contributing_guide_explains_every_target(root):
    # Run by `make test`, it would also print the folder that it enters.
    command = ["make", "--no-print-directory"]
    help_text = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[1] for line in help_text.splitlines()} - {"help"}
    assert {"app", "test"} <= targets
    guide = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert not [target for target in targets if f"`make {target}`" not in guide]
