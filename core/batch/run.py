"""A batch run, from listing the folder to writing the table."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import DataError
from ..files import atomic_file, part_path
from ..output.table import Status, compute_run_digest
from .journal import FileIndex, Journal, Skipped, report_resumable_disk_errors
from .options import BatchEngine, BatchOptions, BatchProgress, BatchSummary
from .outputs import check_batch_outputs, journal_path
from .pool import PHOTOS_PER_CHUNK, LocalPool
from .report import write_report
from .rows import complete_rows, count_rows
from .sinks import write_table
from .source import open_source
from .worker import WorkerSetup

_MAX_SCANS = 10
"""How often a folder that keeps growing is listed; running the command again continues."""

if TYPE_CHECKING:
    from ..types import Provenance
    from .ray_pool import RayPool

    Pool: TypeAlias = LocalPool | RayPool
    OpenPool = Callable[[WorkerSetup, BatchOptions, int], Pool]

OnProgress = Callable[[BatchProgress], None]


def run_batch(
    options: BatchOptions,
    *,
    on_progress: OnProgress = lambda _: None,
    open_pool: OpenPool | None = None,
) -> BatchSummary:
    """Analyze every file below the folder, write the table and return the counts.

    Each result is written at once to a journal beside the table. If the run is interrupted in any
    way, the same options continue it, and the table will be, byte for byte, that of a run without
    interruption.

    Raises ConfigError if something cannot be read or written, if another run writes the same table
    or one with other options began it, DataError for a folder without files, WeightsError if a
    network cannot be loaded.
    """
    out = options.out
    source = open_source(str(options.directory))
    check_batch_outputs(options, source)
    with report_resumable_disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        journal = stack.enter_context(contextlib.closing(Journal(journal_path(out))))
        index = FileIndex()
        own_paths = _list_own_paths(options)

        def scan_source() -> Skipped:
            return index.add_files(source.walk(own_paths))

        scan_source()
        files, _ = index.count()
        if not files:
            raise DataError(
                "There are no files in the folder.", hint="Name the folder with the photos."
            )
        setup = WorkerSetup(options.config, source, options.annotate)
        pool = (open_pool or _open_pool)(setup, options, files)
        stack.callback(pool.close)
        provenance = pool.get_provenance()
        journal.load_or_reset(index, _describe_run(provenance, options), fresh=options.fresh)
        _, already_done = index.count()
        skipped = _analyze_pending(scan_source, index, journal, pool, on_progress)
        pool.close()
        counts: Counter[str] = Counter()
        run = compute_run_digest(provenance)
        with report_resumable_disk_errors(out), atomic_file(out) as file:
            rows = count_rows(complete_rows(_read_results(index, journal), provenance), counts)
            write_table(file, options.format, rows, {"run": run, **asdict(provenance)})
        summary = BatchSummary(
            with_faces=counts[Status.FACE],
            without_faces=counts[Status.NO_FACE],
            failed=counts[Status.FAILED],
            faces=counts["faces"],
            uncertain=counts["uncertain"],
            skipped=skipped.others,
            films=skipped.films,
            already_done=already_done,
            damaged=journal.damaged,
            is_locked=journal.is_locked,
        )
        if options.report is not None:
            write_report(
                options.report,
                complete_rows(_read_results(index, journal), provenance),
                summary,
                provenance,
                source if options.thumbnails else None,
            )
    return summary


def _describe_run(provenance: Provenance, options: BatchOptions) -> dict[str, Any]:
    """Return everything but the photos that affects the results; the journal keeps it."""
    return {
        "run": compute_run_digest(provenance),
        # Results without annotated copies are no use to a run that wants copies.
        "annotate": str(options.annotate) if options.annotate else None,
        "provenance": asdict(provenance),
    }


def _list_own_paths(options: BatchOptions) -> set[str]:
    """Return the paths the run writes to; they may be inside the folder it reads."""
    paths = [options.out, journal_path(options.out), part_path(options.out)]
    if options.report is not None:
        paths += [options.report, part_path(options.report)]
    if options.annotate is not None:
        paths.append(options.annotate)
    return set(map(str, paths))


def _open_pool(setup: WorkerSetup, options: BatchOptions, files: int) -> Pool:
    import joblib

    # The number of cores this process may use, also inside a container.
    workers = options.workers or int(joblib.cpu_count())
    if options.engine is BatchEngine.RAY:
        from .ray_pool import RayPool

        return RayPool(setup, workers)
    # For a handful of photos it is not worth loading the networks many times.
    workers = min(workers, -(-files // PHOTOS_PER_CHUNK))
    return LocalPool(setup, workers, photos_per_chunk=min(PHOTOS_PER_CHUNK, -(-files // workers)))


def _analyze_pending(
    scan_source: Callable[[], Skipped],
    index: FileIndex,
    journal: Journal,
    pool: Pool,
    on_progress: OnProgress,
) -> Skipped:
    """Analyze all files without a result, also those added meanwhile; return how many to skip."""
    total, done = index.count()
    skipped = Skipped()
    for scans in range(1, _MAX_SCANS + 1):
        on_progress(BatchProgress(done, total))
        for results in pool.analyze(index.iterate_pending()):
            journal.append(index, results)
            done += len(results)
            on_progress(BatchProgress(done, total))
        if scans == _MAX_SCANS:
            break  # a file that changes all the time keeps its last result
        skipped = scan_source()
        total, done = index.count()
        if done == total:
            break
    return skipped


def _read_results(
    index: FileIndex, journal: Journal
) -> Iterator[tuple[str, Sequence[Sequence[Any]]]]:
    for path, offset in index.iterate_results():
        yield path, journal.read_rows(offset)
