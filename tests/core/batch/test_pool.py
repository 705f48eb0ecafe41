"""Worker processes: their answers are those of one process, and none takes a photo along."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core import Emotion, ProjectError
from core.batch import pool
from core.batch.pool import LocalPool
from tests.core.batch.batch_parts import fill, opener, run
from tests.core.batch.faulty_analyzers import MARK, FatalAnalyzer, QuickAnalyzer, fatal, refused
from tests.fakes import picture, png

ONE = png(picture(Emotion.HAPPY))


def workers(count, make, **options):
    """Opens a pool of real processes."""
    return lambda work, *_: LocalPool(replace(work, make=make), count, **options)


def test_workers_that_are_killed_lose_no_photo_and_only_the_guilty_one_fails(tmp_path, monkeypatch):
    folder, out = fill(tmp_path / "photos", 5), tmp_path / "table.jsonl"
    monkeypatch.setenv(MARK, str(tmp_path / "mark"))
    for name in ("fatal.png", "once.png"):
        (folder / name).write_bytes(ONE)
    summary = run(folder, out, pool=workers(1, FatalAnalyzer))
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    (row,) = (row for row in rows if row["path"] == "fatal.png")
    assert (row["status"], row["error"]) == ("failed", "UnreadableImage")
    assert "crashed or hung" in row["message"]
    assert (tmp_path / "mark").exists()
    assert summary.files == 7
    (folder / "fatal.png").unlink()
    run(folder, tmp_path / "clean.jsonl", pool=opener(make=QuickAnalyzer))
    others = [line for line in out.read_bytes().splitlines() if b"fatal.png" not in line]
    assert others == (tmp_path / "clean.jsonl").read_bytes().splitlines()


@pytest.mark.slow  # several processes one after another
def test_worker_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "_SECONDS_A_PHOTO", 2)
    folder, out = fill(tmp_path / "photos", 5), tmp_path / "table.jsonl"
    (folder / "hang.png").write_bytes(ONE)
    summary = run(folder, out, pool=workers(2, FatalAnalyzer, photos_per_chunk=2))
    assert (summary.files, summary.failed) == (6, 2)


def test_error_of_a_worker_s_start_is_raised_here(photos, tmp_path):
    with pytest.raises(ProjectError, match="weights are absent") as told:
        run(photos, tmp_path / "table.csv", pool=workers(1, refused))
    assert told.value.hint == "Train them."


@pytest.mark.slow  # several processes one after another
def test_workers_that_cannot_start_are_not_started_for_ever(photos, tmp_path):
    with pytest.raises(ProjectError, match="end before they are ready"):
        run(photos, tmp_path / "table.csv", pool=workers(1, fatal))
