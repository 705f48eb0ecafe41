"""A run may be stopped at any moment: the next one continues, and no file is lost or doubled."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import stat
import sys
import time
import warnings

import pytest

from core import AnalyzerConfig, ConfigError
from core.batch.outputs import journal_path
from core.files import atomic_file
from tests.core.batch.batch_parts import InlinePool, fill_folder, kill_self, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX locks and signals")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "table.csv"


def count_reads(photos, out, **options):
    """Run once more; return how many files that reads."""
    pools = []

    def open_pool(setup, *_):
        pools.append(InlinePool(setup))
        return pools[0]

    run(photos, out, pool=open_pool, **options)
    return len(pools[0].reader.sources)


def list_leftovers(out):
    return sorted(
        path.name for path in out.parent.iterdir() if path not in (out, journal_path(out))
    )


def test_second_run_reads_nothing_and_writes_the_same(photos, out, clean_tables):
    run(photos, out)
    out.unlink()
    assert count_reads(photos, out) == 0
    assert out.read_bytes() == clean_tables["csv"]


def test_new_changed_and_removed_files_are_noticed(tmp_path, out):
    folder = fill_folder(tmp_path / "photos", 10)
    run(folder, out)
    (folder / "000.png").unlink()
    (folder / "003.png").write_bytes((folder / "inner" / "002.png").read_bytes())
    (folder / "new.png").write_bytes((folder / "inner" / "002.png").read_bytes())
    assert count_reads(folder, out) == 2
    run(folder, tmp_path / "clean.csv")
    assert out.read_bytes() == (tmp_path / "clean.csv").read_bytes()


def test_fresh_option_starts_over(photos, out):
    run(photos, out)
    assert count_reads(photos, out, fresh=True) == 20


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"preset": "thorough"}, "detector hybrid instead of mtcnn"),
        ({"reading": "fer2013"}, "reading people instead of fer2013"),
        ({"certain_from": 0.9}, "other options"),
        ({"model": "resnet50"}, "model mobilenet_v2 instead of resnet50"),
    ],
)
def test_other_options_are_refused_and_no_result_is_lost(photos, out, options, difference):
    run(photos, out)
    before = journal_path(out).read_bytes(), out.read_bytes()
    config = AnalyzerConfig(**options)
    with pytest.raises(ConfigError, match=difference) as refusal:
        run(photos, out, config=config)
    assert out.name in refusal.value.message
    assert "--fresh" in refusal.value.hint
    assert (journal_path(out).read_bytes(), out.read_bytes()) == before
    assert count_reads(photos, out) == 0
    assert count_reads(photos, out, config=config, fresh=True) == 20


def test_journal_of_an_earlier_version_is_refused_and_kept(photos, out):
    run(photos, out)
    header, *results = journal_path(out).read_bytes().splitlines(keepends=True)
    old = json.loads(header[:-10]) | {"journal": 1, "key": "ab" * 32}
    journal_path(out).write_bytes(b"".join([json.dumps(old).encode() + b"\n", *results]))
    before = journal_path(out).read_bytes()
    with pytest.raises(ConfigError, match="another version of this program"):
        run(photos, out)
    assert journal_path(out).read_bytes() == before
    assert count_reads(photos, out, fresh=True) == 20


def test_results_below_a_damaged_first_line_are_not_thrown_away(photos, out):
    run(photos, out)
    _, *results = journal_path(out).read_bytes().splitlines(keepends=True)
    journal_path(out).write_bytes(b"".join([b"\0" * 50 + b"\n", *results]))
    with pytest.raises(ConfigError, match="first line is damaged"):
        run(photos, out)


def test_journal_without_a_result_is_no_obstacle_to_other_options(photos, out):
    run(photos, out)
    header, *_ = journal_path(out).read_bytes().splitlines(keepends=True)
    journal_path(out).write_bytes(header)
    assert count_reads(photos, out, config=AnalyzerConfig(reading="fer2013")) == 20


def test_file_is_analyzed_again_if_the_last_line_was_cut_off_anywhere(photos, out, clean_tables):
    run(photos, out)
    journal = journal_path(out)
    complete = journal.read_bytes()
    last = complete[:-1].rfind(b"\n") + 1
    for length in [*range(last, len(complete), 7), last - 1, 10, 1, 0]:
        journal.write_bytes(complete[:length])
        assert count_reads(photos, out) >= (length < len(complete))
        assert out.read_bytes() == clean_tables["csv"]
        assert len(journal.read_bytes().splitlines()) == 21


@pytest.mark.parametrize("damaged", [b"\0" * 50 + b"\n", b"[1]\n", b"{}\n", b'{"path": "x"}\n'])
def test_line_damaged_by_the_disk_is_ignored(photos, out, clean_tables, damaged):
    run(photos, out)
    lines = journal_path(out).read_bytes().splitlines(keepends=True)
    lines[5] = damaged
    journal_path(out).write_bytes(b"".join(lines))
    assert count_reads(photos, out) == 1
    assert out.read_bytes() == clean_tables["csv"]


def test_changed_byte_anywhere_in_a_result_is_noticed_and_said(photos, out, clean_tables):
    run(photos, out)
    whole = journal_path(out).read_bytes()
    first = whole.index(b"\n") + 1
    changeable = [at for at in range(first, len(whole)) if whole[at] not in b"\n"]
    for at in changeable[:: len(changeable) // 12]:
        changed = bytearray(whole)
        changed[at] ^= 1
        if changed[at] == ord("\n"):
            continue
        journal_path(out).write_bytes(changed)
        assert run(photos, out).damaged == 1
        assert out.read_bytes() == clean_tables["csv"]


def test_results_of_a_version_without_checksums_are_kept(photos, out):
    run(photos, out)
    lines = [line[:-10] for line in journal_path(out).read_bytes().splitlines(keepends=True)]
    lines[0] = lines[0].replace(b'"journal":3', b'"journal":2')
    journal_path(out).write_bytes(b"".join(line + b"\n" for line in lines))
    before = journal_path(out).read_bytes()
    with pytest.raises(ConfigError, match="another version of this program"):
        run(photos, out)
    assert journal_path(out).read_bytes() == before


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP])
def test_disk_without_locks_is_used_and_that_is_said(photos, out, monkeypatch, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refuse)
    assert not run(photos, out).is_locked


def test_disk_that_cannot_sync_a_folder_is_used(photos, out, monkeypatch):
    sync = os.fsync

    def refuse_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    run(photos, out)
    assert out.exists()


def test_other_file_with_the_journal_s_name_is_replaced_only_on_request(photos, out, clean_tables):
    journal_path(out).write_bytes(b"something else\n")
    with pytest.raises(ConfigError, match="not an earlier result"):
        run(photos, out)
    assert journal_path(out).read_bytes() == b"something else\n"
    run(photos, out, overwrite=True)
    assert out.read_bytes() == clean_tables["csv"]


def test_two_runs_cannot_write_the_same_table(photos, out, clean_tables):
    def start_second_run(progress):
        if progress.done == 8:
            with pytest.raises(ConfigError, match=r"Another run is writing table\.csv"):
                run(photos, out)

    run(photos, out, on_progress=start_second_run)
    assert out.read_bytes() == clean_tables["csv"]


class RecordedPool:
    """A pool that replays recorded results, so that a forked process needs no image library."""

    def __init__(self, setup, wait_s=0.0):
        self.pool = InlinePool(setup, photos_per_chunk=3)
        self.get_provenance = self.pool.get_provenance
        self.wait_s = wait_s
        self.results = {}

    def record(self, paths):
        for results in self.pool.analyze(paths):
            self.results |= {result.path: result for result in results}

    def analyze(self, paths):
        for path in paths:
            time.sleep(self.wait_s)
            yield [self.results[path]]

    def close(self):
        pass

    def __call__(self, *_):
        return self


@pytest.fixture(scope="module")
def recorded_pool(photos):
    from core.batch.source import open_source
    from core.batch.worker import WorkerSetup

    pool = RecordedPool(WorkerSetup(AnalyzerConfig(), open_source(str(photos))))
    pool.record(str(p.relative_to(photos)) for p in sorted(photos.rglob("*.png")))
    return pool


class DiskFault:
    """Counts the disk calls of a run, and acts at the chosen call."""

    def __init__(self, monkeypatch, act):
        self.calls = 0
        self.fail_at = None
        for name in ("write", "fsync", "replace"):
            monkeypatch.setattr(os, name, self._wrap(getattr(os, name), act))

    def _wrap(self, real, act):
        def call(*arguments):
            self.calls += 1
            if self.calls == self.fail_at:
                act(real, *arguments)
            return real(*arguments)

        return call


def write_half_then_fail(real, *arguments):
    """Write half of the data, then fail as a full disk does."""
    if real.__name__ == "write":
        real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def expected(request, clean_tables):
    """A file ending, and the table of an uninterrupted run."""
    return request.param, clean_tables[request.param]


def test_disk_failure_at_any_call_is_reported_and_the_next_run_continues(
    photos, tmp_path, expected, monkeypatch, recorded_pool
):
    ending, table = expected
    fault = DiskFault(monkeypatch, write_half_then_fail)
    run(photos, tmp_path / f"count.{ending}", pool=recorded_pool)
    for call in range(1, fault.calls + 1):
        out = tmp_path / f"{call}" / f"table.{ending}"
        out.parent.mkdir()
        out.write_bytes(b"the table of an earlier run")
        fault.calls, fault.fail_at = 0, call
        with pytest.raises(ConfigError, match=r"Cannot write .*: No space left"):
            run(photos, out, pool=recorded_pool, overwrite=True)
        # The fsync of the folder comes last, when the table is already in place.
        assert out.read_bytes() in (b"the table of an earlier run", table)
        assert list_leftovers(out) == []
        fault.fail_at = None
        run(photos, out, pool=recorded_pool, overwrite=True)
        assert out.read_bytes() == table


def run_in_child(act):
    """Run ``act`` in a forked process; return its id at once."""
    with warnings.catch_warnings():
        # Other tests may have left threads here; the child uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:  # noqa: BLE001 - the child must not continue as a second test run
            os._exit(70)
        os._exit(0)
    return child


def test_run_killed_at_any_disk_call_continues(
    photos, tmp_path, expected, monkeypatch, recorded_pool
):
    ending, table = expected

    def write_half_then_kill(real, *arguments):
        if real.__name__ == "write":
            real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        kill_self()

    fault = DiskFault(monkeypatch, write_half_then_kill)
    out = tmp_path / f"table.{ending}"

    def run_once():
        run(photos, out, pool=recorded_pool)

    run_once()
    calls = fault.calls
    for call in range(1, calls + 1):
        for path in (out, journal_path(out)):
            path.unlink()
        fault.calls, fault.fail_at = 0, call
        _, status = os.waitpid(run_in_child(run_once), 0)
        assert os.WIFSIGNALED(status)
        fault.fail_at = None
        run_once()
        assert out.read_bytes() == table
        assert list_leftovers(out) == []


def test_run_killed_again_and_again_at_random_moments_gives_the_same_table(
    photos, out, clean_tables, recorded_pool
):
    rng = random.Random(7)
    recorded_pool.wait_s = 0.004
    kills = 0
    try:
        for _ in range(60):
            child = run_in_child(lambda: run(photos, out, pool=recorded_pool))
            time.sleep(rng.uniform(0.002, 0.05))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            kills += os.WIFSIGNALED(status)
            if out.exists() and rng.random() < 0.7:
                assert out.read_bytes() == clean_tables["csv"]
                for path in (out, journal_path(out)):
                    path.unlink()
    finally:
        recorded_pool.wait_s = 0.0
    assert kills > 5
    run(photos, out, pool=recorded_pool)
    assert out.read_bytes() == clean_tables["csv"]
    records = [json.loads(line[:-9]) for line in journal_path(out).read_bytes().splitlines()[1:]]
    # Each file once: no result in the journal was computed again.
    assert len({record["path"] for record in records}) == len(records) == 20


def test_atomic_file_keeps_the_old_content_until_the_new_is_complete(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    context = atomic_file(path)
    file = context.__enter__()
    file.write(b"new")
    file.flush()
    assert path.read_bytes() == b"old"
    context.__exit__(RuntimeError, RuntimeError(), None)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
