"""`emotion batch` as separate processes: killed, terminated, with a closed pipe."""

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

from core.batch.outputs import journal_path
from tests.core.batch.batch_parts import fill_folder, inline_pool, run
from tests.core.batch.faulty_analyzers import SlowAnalyzer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

PROGRAM = """
import functools, sys
from core.batch import run
from tests.core.batch.faulty_analyzers import SlowAnalyzer
run.WorkerSetup = functools.partial(run.WorkerSetup, make_analyzer=SlowAnalyzer)
from cli import main
main.app(sys.argv[1:])
"""


@pytest.fixture
def start_batch(root):
    """Start the command; all its processes end with the test."""
    started = []

    def start(folder, out, *options):
        command = [sys.executable, "-c", PROGRAM, "batch", folder, "--out", out, *options]
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


def list_done(out):
    """Return the files whose results are in the journal."""
    try:
        lines = journal_path(out).read_bytes().split(b"\n")[1:-1]
    except OSError:
        return []
    # A checksum follows each.
    return [json.loads(line.rpartition(b" ")[0])["path"] for line in lines]


def read_files(folder):
    """Return all files below ``folder`` with their bytes, also partly written ones."""
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def wait_until(condition, seconds=120.0):
    """Check ``condition`` every few milliseconds until it is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def have_all_ended(process):
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def clean(tmp_path):
    """A folder, and the table of an uninterrupted run in one process.

    The annotated copies are in "clean", the report is clean.html.
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


def test_killed_run_leaves_no_process_and_the_same_command_continues(start_batch, clean, tmp_path):
    folder, expected = clean
    out, marked, page = tmp_path / "table.csv", tmp_path / "marked", tmp_path / "page.html"
    options = ("--workers", "1", "--annotate", marked, "--report", page)
    process = start_batch(folder, out, *options)
    wait_until(lambda: list_done(out))
    process.kill()
    process.wait()
    before = list_done(out)
    assert 0 < len(before) < 24
    assert not out.exists()
    assert not page.exists()
    wait_until(lambda: have_all_ended(process))
    again = start_batch(folder, out, *options)
    again.stderr.close()  # as `emotion batch … 2>&1 | head -0` does
    assert again.wait(120) == 1
    assert out.read_bytes() == expected
    assert list_done(out)[: len(before)] == before
    assert len(set(list_done(out))) == len(list_done(out)) == 24
    assert page.read_bytes() == (tmp_path / "clean.html").read_bytes()
    assert read_files(marked) == read_files(tmp_path / "clean")
    assert {path.suffix for path in read_files(marked)} == {".png"}


@pytest.mark.slow  # two minutes of starting processes
def test_run_killed_at_fifty_random_moments_gives_the_same_table(start_batch, clean, tmp_path):
    folder, expected = clean
    out = tmp_path / "table.csv"
    rng = random.Random(11)
    finished = kills = 0
    while kills < 50:
        process = start_batch(folder, out, "--workers", "2")
        try:
            process.wait(rng.uniform(0.2, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        process.communicate()
        before = list_done(out)
        assert len(set(before)) == len(before)
        if process.returncode >= 0:
            assert process.returncode == 1
            assert out.read_bytes() == expected
            finished += 1
            for path in (out, journal_path(out)):
                path.unlink()
    process = start_batch(folder, out, "--workers", "2")
    process.communicate()
    assert process.returncode == 1
    assert out.read_bytes() == expected
    assert sorted(path.name for path in tmp_path.iterdir() if "table" in path.name) == [
        "table.csv",
        "table.csv.journal",
    ]


@pytest.mark.slow  # the default run sends the signals within one process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_all_processes_with_a_message(start_batch, clean, tmp_path, number):
    folder, expected = clean
    out = tmp_path / "table.csv"
    process = start_batch(folder, out, "--workers", "2")
    wait_until(lambda: list_done(out))
    os.killpg(process.pid, number)  # as a terminal does: the workers get it too
    _, stderr = process.communicate()
    assert process.returncode == 128 + number
    assert stderr.decode().startswith("Stopped. The results so far are kept")
    assert "Traceback" not in stderr.decode()
    wait_until(lambda: have_all_ended(process))
    assert start_batch(folder, out, "--workers", "2").wait(120) == 1
    assert out.read_bytes() == expected
