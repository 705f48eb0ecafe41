"""`emotion batch` as processes of their own: killed, terminated, with a reader that has gone."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from core.batch.run import journal_path
from tests.core.batch.batch_parts import fill_folder, inline_pool, run
from tests.core.batch.faulty_analyzers import SlowAnalyzer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

FAKED = """
import functools, sys
from core.batch import run
from tests.core.batch.faulty_analyzers import SlowAnalyzer
run.WorkerSetup = functools.partial(run.WorkerSetup, make_analyzer=SlowAnalyzer)
from cli import main
main.app(sys.argv[1:])
"""


@pytest.fixture
def begun(root):
    """Starts the command; what is left of it ends with the test."""
    started = []

    def begin(folder, out, *options):
        command = [sys.executable, "-c", FAKED, "batch", folder, "--out", out, *options]
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


def kept(out):
    """The files whose answers are in the journal."""
    try:
        lines = journal_path(out).read_bytes().split(b"\n")[1:-1]
    except OSError:
        return []
    return [json.loads(line)["path"] for line in lines]


def files_in(folder):
    """All files below ``folder`` with their bytes, those half written included."""
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def until(condition, seconds=120.0):
    """Waits for ``condition``; looks every few milliseconds, and rarely fails."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.02)


def all_gone(process):
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def clean(tmp_path):
    """A folder, and the table of a run in one process that nothing interrupted.

    Its copies with marked faces lie in "clean", its report is clean.html.
    """
    folder = fill_folder(tmp_path / "photos", 24)
    run(
        folder,
        tmp_path / "clean.csv",
        pool=inline_pool(make_analyzer=SlowAnalyzer),
        annotate=tmp_path / "clean",
        report=tmp_path / "clean.html",
    )
    return folder, (tmp_path / "clean.csv").read_bytes()


def test_killed_run_leaves_no_process_and_the_same_command_goes_on(begun, clean, tmp_path):
    folder, expected = clean
    out, marked, page = tmp_path / "table.csv", tmp_path / "marked", tmp_path / "page.html"
    options = ("--workers", "1", "--annotate", marked, "--report", page)
    process = begun(folder, out, *options)
    until(lambda: kept(out))
    process.kill()
    process.wait()
    before = kept(out)
    assert 0 < len(before) < 24
    assert not out.exists()
    assert not page.exists()
    until(lambda: all_gone(process))
    again = begun(folder, out, *options)
    again.stderr.close()  # as `emotion batch … 2>&1 | head -0` does
    assert again.wait(120) == 1
    assert out.read_bytes() == expected
    assert kept(out)[: len(before)] == before
    assert len(set(kept(out))) == len(kept(out)) == 24
    assert page.read_bytes() == (tmp_path / "clean.html").read_bytes()
    assert files_in(marked) == files_in(tmp_path / "clean")
    assert {path.suffix for path in files_in(marked)} == {".png"}


@pytest.mark.slow  # two minutes of starting processes
def test_killed_at_fifty_random_moments_it_comes_to_the_same_end(begun, clean, tmp_path):
    folder, expected = clean
    out = tmp_path / "table.csv"
    dice = random.Random(11)
    finished = kills = 0
    while kills < 50:
        process = begun(folder, out, "--workers", "2")
        try:
            process.wait(dice.uniform(0.2, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        process.communicate()
        before = kept(out)
        assert len(set(before)) == len(before)
        if process.returncode >= 0:
            assert process.returncode == 1
            assert out.read_bytes() == expected
            finished += 1
            for path in (out, journal_path(out)):
                path.unlink()
    process = begun(folder, out, "--workers", "2")
    process.communicate()
    assert process.returncode == 1
    assert out.read_bytes() == expected
    assert sorted(path.name for path in tmp_path.iterdir() if "table" in path.name) == [
        "table.csv",
        "table.csv.journal",
    ]


@pytest.mark.slow  # the default run sends the signals within one process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_all_processes_with_a_word(begun, clean, tmp_path, number):
    folder, expected = clean
    out = tmp_path / "table.csv"
    process = begun(folder, out, "--workers", "2")
    until(lambda: kept(out))
    os.killpg(process.pid, number)  # as a terminal does: the workers get it too
    _, said = process.communicate()
    assert process.returncode == 128 + number
    assert said.decode().startswith("Stopped. What was answered is kept")
    assert "Traceback" not in said.decode()
    until(lambda: all_gone(process))
    assert begun(folder, out, "--workers", "2").wait(120) == 1
    assert out.read_bytes() == expected
