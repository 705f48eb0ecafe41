"""A run that ends at any moment, in any way: the same command goes on, nothing lost or doubled."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import sys
import time
import warnings

import pytest

from core import ConfigError
from core.batch.run import journal_path
from core.files import atomic_file
from tests.core.batch.batch_parts import InlinePool, fill, kill_self, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX locks and signals")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "table.csv"


def reads(photos, out, **options):
    """How many files one more run reads."""
    pools = []

    def pool(work, *_):
        pools.append(InlinePool(work))
        return pools[0]

    run(photos, out, pool=pool, **options)
    return len(pools[0].reader.seen)


def leftovers(out):
    return sorted(
        path.name for path in out.parent.iterdir() if path not in (out, journal_path(out))
    )


def test_second_run_reads_nothing_and_writes_the_same(photos, out, clean):
    run(photos, out)
    out.unlink()
    assert reads(photos, out) == 0
    assert out.read_bytes() == clean["csv"]


def test_new_changed_and_removed_files_are_seen(tmp_path, out):
    folder = fill(tmp_path / "photos", 10)
    run(folder, out)
    (folder / "000.png").unlink()
    (folder / "003.png").write_bytes((folder / "inner" / "002.png").read_bytes())
    (folder / "new.png").write_bytes((folder / "inner" / "002.png").read_bytes())
    assert reads(folder, out) == 2
    run(folder, tmp_path / "clean.csv")
    assert out.read_bytes() == (tmp_path / "clean.csv").read_bytes()


@pytest.mark.parametrize("options", [{"fresh": True}, {"config": "thorough"}])
def test_fresh_start_and_other_options_begin_anew(photos, out, options):
    from core import AnalyzerConfig

    run(photos, out)
    if "config" in options:
        options = {"config": AnalyzerConfig(preset=options["config"])}
    assert reads(photos, out, **options) == 20


def test_last_line_torn_anywhere_is_answered_again(photos, out, clean):
    run(photos, out)
    journal = journal_path(out)
    whole = journal.read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    for length in [*range(last, len(whole), 7), last - 1, 10, 1, 0]:
        journal.write_bytes(whole[:length])
        assert reads(photos, out) >= (length < len(whole))
        assert out.read_bytes() == clean["csv"]
        assert len(journal.read_bytes().splitlines()) == 21


@pytest.mark.parametrize("spoilt", [b"\0" * 50 + b"\n", b"[1]\n", b"{}\n", b'{"path": "x"}\n'])
def test_line_that_a_disk_spoilt_is_left_out(photos, out, clean, spoilt):
    run(photos, out)
    lines = journal_path(out).read_bytes().splitlines(keepends=True)
    lines[5] = spoilt
    journal_path(out).write_bytes(b"".join(lines))
    assert reads(photos, out) == 1
    assert out.read_bytes() == clean["csv"]


def test_other_file_in_the_journal_s_place_is_replaced(photos, out, clean):
    journal_path(out).write_bytes(b"something else\n")
    run(photos, out)
    assert out.read_bytes() == clean["csv"]


def test_two_runs_do_not_write_one_table(photos, out, clean):
    def second(progress):
        if progress.done == 8:
            with pytest.raises(ConfigError, match=r"Another run is writing table\.csv"):
                run(photos, out)

    run(photos, out, on_progress=second)
    assert out.read_bytes() == clean["csv"]


class Remembered:
    """A pool whose answers were made before, so that a forked process needs no library for it."""

    def __init__(self, work, wait_s=0.0):
        self.pool = InlinePool(work, photos_per_chunk=3)
        self.provenance = self.pool.provenance
        self.wait_s = wait_s
        self.told = {}

    def learn(self, paths):
        for answers in self.pool.answers(paths):
            self.told |= {answer.path: answer for answer in answers}

    def answers(self, paths):
        for path in paths:
            time.sleep(self.wait_s)
            yield [self.told[path]]

    def close(self):
        pass

    def __call__(self, *_):
        return self


@pytest.fixture(scope="module")
def remembered(photos):
    from core import AnalyzerConfig
    from core.batch.source import open_source
    from core.batch.worker import WorkerConfig

    made = Remembered(WorkerConfig(AnalyzerConfig(), open_source(str(photos))))
    made.learn(str(p.relative_to(photos)) for p in sorted(photos.rglob("*.png")))
    return made


class Faults:
    """Counts what a run asks of the disk, and does something at the chosen call."""

    def __init__(self, monkeypatch, act):
        self.calls = 0
        self.at = None
        for name in ("write", "fsync", "replace"):
            monkeypatch.setattr(os, name, self._counted(getattr(os, name), act))

    def _counted(self, real, act):
        def call(*arguments):
            self.calls += 1
            if self.calls == self.at:
                act(real, *arguments)
            return real(*arguments)

        return call


def half_then_full(real, *arguments):
    """The disk takes half of what is written, then is full."""
    if real.__name__ == "write":
        real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def expected(request, clean):
    """An ending, and the table of a run that nothing interrupted."""
    return request.param, clean[request.param]


def test_disk_that_fails_at_any_call_is_told_and_the_next_run_goes_on(
    photos, tmp_path, expected, monkeypatch, remembered
):
    ending, table = expected
    faults = Faults(monkeypatch, half_then_full)
    run(photos, tmp_path / f"count.{ending}", pool=remembered)
    for call in range(1, faults.calls + 1):
        out = tmp_path / f"{call}" / f"table.{ending}"
        out.parent.mkdir()
        out.write_bytes(b"the table of an earlier run")
        faults.calls, faults.at = 0, call
        with pytest.raises(ConfigError, match=r"cannot be written: No space left"):
            run(photos, out, pool=remembered)
        # The folder's own fsync comes when the table is already in place.
        assert out.read_bytes() in (b"the table of an earlier run", table)
        assert leftovers(out) == []
        faults.at = None
        run(photos, out, pool=remembered)
        assert out.read_bytes() == table


def in_child(act):
    """Run ``act`` in a copy of this process; gives its id at once."""
    with warnings.catch_warnings():
        # Threads of other tests may wait in this process; the child uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:  # noqa: BLE001 - the copy must not go on as a second test run
            os._exit(70)
        os._exit(0)
    return child


def test_killed_at_every_call_of_the_disk_it_goes_on(
    photos, tmp_path, expected, monkeypatch, remembered
):
    ending, table = expected

    def half_then_killed(real, *arguments):
        if real.__name__ == "write":
            real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        kill_self()

    faults = Faults(monkeypatch, half_then_killed)
    out = tmp_path / f"table.{ending}"

    def once():
        run(photos, out, pool=remembered)

    once()
    calls = faults.calls
    for call in range(1, calls + 1):
        for path in (out, journal_path(out)):
            path.unlink()
        faults.calls, faults.at = 0, call
        _, status = os.waitpid(in_child(once), 0)
        assert os.WIFSIGNALED(status)
        faults.at = None
        once()
        assert out.read_bytes() == table
        assert leftovers(out) == []


def test_killed_at_random_moments_again_and_again_it_comes_to_the_same_end(
    photos, out, clean, remembered
):
    dice = random.Random(7)
    remembered.wait_s = 0.004
    kills = 0
    try:
        for _ in range(60):
            child = in_child(lambda: run(photos, out, pool=remembered))
            time.sleep(dice.uniform(0.002, 0.05))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            kills += os.WIFSIGNALED(status)
            if out.exists() and dice.random() < 0.7:
                assert out.read_bytes() == clean["csv"]
                for path in (out, journal_path(out)):
                    path.unlink()
    finally:
        remembered.wait_s = 0.0
    assert kills > 5
    run(photos, out, pool=remembered)
    assert out.read_bytes() == clean["csv"]
    told = [json.loads(line) for line in journal_path(out).read_bytes().splitlines()[1:]]
    # Each file once: nothing that was kept was answered again.
    assert len({each["path"] for each in told}) == len(told) == 20


def test_writing_keeps_the_old_content_until_the_new_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    writing = atomic_file(path)
    file = writing.__enter__()
    file.write(b"new")
    file.flush()
    assert path.read_bytes() == b"old"
    writing.__exit__(RuntimeError, RuntimeError(), None)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
