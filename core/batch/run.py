"""A batch run from the first look into the folder to the table."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from ..errors import ConfigError, DataError
from ..files import atomic_file, part_path
from ..types import Provenance
from .disk_errors import report_disk_errors
from .journal import FileIndex, Journal
from .options import BatchEngine, BatchOptions, BatchProgress, BatchSummary
from .pool import PHOTOS_PER_CHUNK, LocalPool, Pool, count_usable_cores
from .report import write_report
from .rows import COLUMN_NAMES, Row, complete
from .sinks import write_table
from .source import SkippedFile, Source, open_source
from .summary import RowCounter
from .worker import WorkerConfig

_MOST_WALKS = 10
"""A folder that keeps growing is looked through so often; the same command then goes on."""

OnProgress = Callable[[BatchProgress], None]
OpenPool = Callable[[WorkerConfig, BatchOptions, int], Pool]


def run_batch(
    options: BatchOptions,
    *,
    on_progress: OnProgress = lambda _: None,
    open_pool: OpenPool | None = None,
) -> BatchSummary:
    """Answer every file below the folder and write the table; what came out of it.

    Each answer is kept in a journal beside the table as soon as it is there. When the run ends
    early, in whatever way, the same options go on from there, and the table becomes, byte for
    byte, that of a run that was not interrupted.

    Raises ConfigError where something cannot be read or written or another run writes the same
    table, DataError for a folder without files, WeightsError where a network cannot be loaded.
    """
    out = options.out.resolve()
    source = open_source(str(options.directory))
    with report_disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    if out.is_dir():
        raise ConfigError(f"{out.name} is a folder.", hint="Name the file of the table.")
    with contextlib.ExitStack() as stack:
        journal = stack.enter_context(Journal(journal_path(out)))
        walk = _Walk(source, _own(options))
        index = FileIndex()
        walk.into(index)
        files, _ = index.counts()
        if not files:
            raise DataError(
                "There is no file in the folder.", hint="Name the folder with the photos."
            )
        work = WorkerConfig(options.config, source, _full(options.annotate))
        pool = (open_pool or _open_pool)(work, options, files)
        stack.callback(pool.close)
        provenance = pool.provenance()
        key = _key(provenance, options)
        journal.begin(index, key, {"provenance": asdict(provenance)}, fresh=options.fresh)
        before = _answer_all(walk, index, journal, pool, on_progress)
        pool.close()
        tally = RowCounter(walk.skipped, before)
        run = compute_run_digest(provenance)
        with report_disk_errors(out), atomic_file(out) as file:
            rows = tally.counting(_rows(index, journal, provenance, run))
            write_table(file, options.format, rows, {"run": run, **asdict(provenance)})
        if options.report is not None:
            write_report(
                options.report.resolve(),
                _rows(index, journal, provenance, run),
                tally.summary(),
                provenance,
                source if options.thumbnails else None,
            )
    return tally.summary()


def journal_path(out: Path) -> Path:
    """The journal of the table ``out``."""
    return out.with_name(f"{out.name}.journal")


def compute_run_digest(provenance: Provenance) -> str:
    """Twelve hexadecimal digits over all that an answer depends on besides its photo."""
    told = json.dumps([COLUMN_NAMES, asdict(provenance)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _key(provenance: Provenance, options: BatchOptions) -> str:
    # With annotated copies asked for, answers without them are not enough.
    annotate = str(_full(options.annotate)) if options.annotate else None
    told = json.dumps([compute_run_digest(provenance), annotate])
    return hashlib.sha256(told.encode()).hexdigest()


def _full(path: Path | None) -> Path | None:
    return None if path is None else path.resolve()


def _own(options: BatchOptions) -> set[str]:
    """The places that the run writes to, which may lie in the folder it reads."""
    out = options.out.resolve()
    places = [out, journal_path(out), part_path(out)]
    if options.report is not None:
        places += [options.report.resolve(), part_path(options.report.resolve())]
    if options.annotate is not None:
        places.append(options.annotate.resolve())
    return {str(place) for place in places}


def _open_pool(work: WorkerConfig, options: BatchOptions, files: int) -> Pool:
    workers = options.workers or count_usable_cores()
    if options.engine is BatchEngine.RAY:
        from .ray_pool import RayPool

        return RayPool(work, workers)
    # A handful of photos does not pay for loading the networks many times.
    workers = min(workers, -(-files // PHOTOS_PER_CHUNK))
    return LocalPool(work, workers, photos_per_chunk=min(PHOTOS_PER_CHUNK, -(-files // workers)))


class _Walk:
    """Looks through the folder, as often as it is asked to."""

    def __init__(self, source: Source, own: set[str]) -> None:
        self.skipped = 0
        self._source = source
        self._own = own

    def into(self, index: FileIndex) -> None:
        """Enter what is there."""
        self.skipped = 0
        for each in self._source.walk(self._own):
            if isinstance(each, SkippedFile):
                self.skipped += 1
            else:
                index.find(each)


def _answer_all(
    walk: _Walk, index: FileIndex, journal: Journal, pool: Pool, on_progress: OnProgress
) -> int:
    """Answer what has no answer yet, also what comes meanwhile; how many had one."""
    total, done = index.counts()
    before = done
    for walks in range(1, _MOST_WALKS + 1):
        on_progress(BatchProgress(done, total))
        for answers in pool.answers(index.waiting()):
            journal.append(index, answers)
            done += len(answers)
            on_progress(BatchProgress(done, total))
        if walks == _MOST_WALKS:
            break  # a file that changes all the time keeps its last answer
        walk.into(index)
        total, done = index.counts()
        if done == total:
            break
    return before


def _rows(index: FileIndex, journal: Journal, provenance: Provenance, run: str) -> Iterator[Row]:
    for path, offset in index.answered():
        for told in journal.rows(offset):
            yield complete(path, told, provenance, run)
