"""Worker processes give the results of a single process, and a crash loses no photo."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core import AnalyzerConfig, Emotion, ProjectError
from core.batch import pool, worker
from core.batch.pool import LocalPool
from core.batch.source import LocalFolder
from tests.core.batch.batch_parts import fill_folder, inline_pool, run
from tests.core.batch.faulty_analyzers import (
    MARK,
    CrashingAnalyzer,
    QuickAnalyzer,
    crash,
    raise_error,
)
from tests.fakes import FakeAnalyzer, picture, png

ONE = png(picture(Emotion.HAPPY))


def process_pool(workers, make_analyzer, **options):
    """Return an ``open_pool`` for ``run_batch`` that starts real processes."""
    return lambda setup, *_: LocalPool(
        replace(setup, make_analyzer=make_analyzer), workers, **options
    )


def test_killed_workers_lose_no_photo_and_only_the_file_that_kills_them_fails(
    tmp_path, monkeypatch
):
    folder, out = fill_folder(tmp_path / "photos", 5), tmp_path / "table.jsonl"
    monkeypatch.setenv(MARK, str(tmp_path / "mark"))
    for name in ("fatal.png", "once.png"):
        (folder / name).write_bytes(ONE)
    summary = run(folder, out, pool=process_pool(1, CrashingAnalyzer))
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    (row,) = (row for row in rows if row["path"] == "fatal.png")
    assert (row["status"], row["error"]) == ("failed", "UnreadableImage")
    assert "crashed or hung" in row["message"]
    assert (tmp_path / "mark").exists()
    assert summary.files == 7
    (folder / "fatal.png").unlink()
    run(folder, tmp_path / "clean.jsonl", pool=inline_pool(make_analyzer=QuickAnalyzer))
    others = [line for line in out.read_bytes().splitlines() if b"fatal.png" not in line]
    assert others == (tmp_path / "clean.jsonl").read_bytes().splitlines()


@pytest.mark.slow  # several processes one after another
def test_hanging_worker_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "_SECONDS_PER_PHOTO", 2)
    folder, out = fill_folder(tmp_path / "photos", 5), tmp_path / "table.jsonl"
    (folder / "hang.png").write_bytes(ONE)
    summary = run(folder, out, pool=process_pool(2, CrashingAnalyzer, photos_per_chunk=2))
    assert (summary.files, summary.failed) == (6, 2)


def test_error_at_a_worker_s_start_is_raised_in_this_process(photos, tmp_path):
    with pytest.raises(ProjectError, match="weights are absent") as caught:
        run(photos, tmp_path / "table.csv", pool=process_pool(1, raise_error))
    assert caught.value.hint == "Train them."


@pytest.mark.slow  # several processes one after another
def test_workers_that_cannot_start_are_not_restarted_forever(photos, tmp_path):
    with pytest.raises(ProjectError, match="end before they are ready"):
        run(photos, tmp_path / "table.csv", pool=process_pool(1, crash))


@pytest.mark.parametrize("answers_before", [0, 1])
def test_worker_whose_run_was_killed_ends_without_a_traceback(photos, answers_before, monkeypatch):
    class Gone:
        """The end of a pipe whose other end was closed."""

        sent, received = 0, False

        def send(self, _message):
            if self.sent == answers_before:
                raise BrokenPipeError
            self.sent += 1

        def recv(self):
            if self.received:
                raise EOFError
            self.received = True
            return ["000.png"]

    setup = worker.WorkerSetup(AnalyzerConfig(), LocalFolder(photos), make_analyzer=FakeAnalyzer)
    for name in ("use_one_core", "keep_blocks"):
        monkeypatch.setattr(worker, name, lambda: None)
    connection = Gone()
    worker.run_worker(connection, setup)
    assert connection.sent == answers_before
