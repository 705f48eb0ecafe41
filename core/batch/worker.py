"""A worker of a batch run: it reads photos ahead, analyzes them and returns their rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING

from ..allocator import keep_blocks
from ..config import AnalyzerConfig, Device
from ..errors import ProjectError
from ..files import atomic_write
from ..reading.isolation import IsolatedReader
from ..runtime import has_gpu
from ..types import ImageAnalysis, RgbImage
from .journal import report_resumable_disk_errors
from .rows import FileResult
from .source import Source

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ..pipeline import Analyzer, PreparedImage

_FACES_PER_CALL, _FACES_PER_CALL_GPU = 2, 32
"""Faces the classifier gets at once. Always the same number, padded if need be, so that no answer
depends on how files were grouped. On one processor core larger batches are no faster, and padding
costs as much as faces do."""

_MAX_HELD_PIXELS = 16_000_000
"""Of photos that wait to be annotated: 48 MB, or a single larger photo."""
_MAX_NAME_BYTES = 230
"""Longest file name before a suffix is added; most file systems allow 255 bytes."""

ReadResult = RgbImage | ProjectError
"""A photo, or why it could not be read."""


def make_analyzer(config: AnalyzerConfig) -> Analyzer:
    """Return the analyzer that ``config`` describes."""
    from ..pipeline import Analyzer

    return Analyzer.from_config(config)


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """What every worker of a run needs; crosses a process boundary."""

    config: AnalyzerConfig
    source: Source
    annotate: Path | None = None
    make_analyzer: Callable[[AnalyzerConfig], Analyzer] = make_analyzer


@dataclass(slots=True)
class _Pending:
    """Photos whose faces are cut out but not classified yet."""

    paths: list[str] = field(default_factory=list)
    prepared: list[PreparedImage] = field(default_factory=list)
    images: list[RgbImage] = field(default_factory=list)
    """The photos themselves, kept only if they are to be annotated."""


class Worker:
    """Analyzes files of a source by their paths."""

    def __init__(self, setup: WorkerSetup, reader: IsolatedReader | None = None) -> None:
        self._setup = setup
        self._reader = reader or IsolatedReader(1)
        self._reader.prepare()
        self.analyzer = setup.make_analyzer(setup.config)
        on_gpu = setup.config.device is not Device.CPU and has_gpu()
        self._faces_per_call = _FACES_PER_CALL_GPU if on_gpu else _FACES_PER_CALL

    def read(self, path: str) -> ReadResult:
        """Return the photo, or the error why it cannot be read."""
        try:
            return self._setup.source.read(path, self._reader)
        except ProjectError as error:
            return error

    def read_ahead(self, paths: Iterable[str]) -> Iterator[tuple[str, ReadResult]]:
        """Yield each path with its photo, while the next photo is being read."""
        with ThreadPoolExecutor(1) as reading_thread:
            reads = ((path, reading_thread.submit(self.read, path)) for path in paths)
            current = next(reads, None)
            while current is not None:
                following = next(reads, None)
                path, read = current
                yield path, read.result()
                current = following

    def analyze(self, photos: Iterable[tuple[str, ReadResult]]) -> list[FileResult]:
        """Return a result for each photo, in order.

        ConfigError if an annotated copy cannot be written. A photo's pixels are released as soon
        as its faces are cut out; those to be annotated, when there are many of them.
        """
        results: dict[str, FileResult] = {}
        order: list[str] = []
        pending = _Pending()
        for path, image in photos:
            order.append(path)
            try:
                if isinstance(image, ProjectError):
                    raise image
                pending.prepared.append(self.analyzer.prepare(image))
            except ProjectError as error:
                results[path] = FileResult.from_error(path, error)
                continue
            pending.paths.append(path)
            if self._setup.annotate is not None:
                pending.images.append(image)
                if sum(held.width * held.height for held in pending.images) > _MAX_HELD_PIXELS:
                    results |= self._finish(pending)
                    pending = _Pending()
        results |= self._finish(pending)
        return [results[path] for path in order]

    def close(self) -> None:
        """End the decoder's process."""
        self._reader.close()

    def _finish(self, pending: _Pending) -> dict[str, FileResult]:
        """Return the results of the pending photos by path, and write their annotated copies."""
        results: dict[str, FileResult] = {}
        analyses = self._classify(pending)
        for number, (path, analysis) in enumerate(zip(pending.paths, analyses, strict=True)):
            if isinstance(analysis, ProjectError):
                results[path] = FileResult.from_error(path, analysis)
                continue
            if self._setup.annotate is not None:
                _write_annotated(self._setup.annotate, path, pending.images[number], analysis)
            results[path] = FileResult.from_analysis(path, analysis)
        return results

    def _classify(self, pending: _Pending) -> list[ImageAnalysis | ProjectError]:
        classify = self.analyzer.classify
        try:
            return list(classify(pending.prepared, faces_per_call=self._faces_per_call))
        except ProjectError:
            # One photo has no usable answer; classify them one by one to keep the others.
            analyses: list[ImageAnalysis | ProjectError] = []
            for image in pending.prepared:
                try:
                    analyses.extend(classify([image], faces_per_call=self._faces_per_call))
                except ProjectError as error:
                    analyses.append(error)
            return analyses


def use_one_core() -> None:
    """Limit this process to one processor core; call it before any network is loaded.

    There are as many workers as cores, so each gets one. All workers must be alike, because the
    last bits of a network's output depend on its number of threads.
    """
    import cv2

    os.environ["OMP_NUM_THREADS"] = "1"  # read by torch and OpenVINO
    cv2.setNumThreads(1)


def _write_annotated(folder: Path, path: str, image: RgbImage, analysis: ImageAnalysis) -> None:
    from ..output.render import annotate, encode_png

    target = annotated_path(folder, path)
    with report_resumable_disk_errors(target):
        atomic_write(target, encode_png(annotate(image, analysis)))


def annotated_path(folder: Path, path: str) -> Path:
    """Return where the annotated copy of ``path`` goes: in the same subfolders, below ``folder``.

    Two photos never share a copy.
    """
    # In an object store a name may contain "..", which would leave the folder.
    parts = ["%2E%2E" if part == ".." else part for part in path.split("/")]
    name = parts.pop()
    if len(os.fsencode(name)) > _MAX_NAME_BYTES:
        digest = hashlib.blake2b(os.fsencode(name), digest_size=4).hexdigest()
        stem = name
        while len(os.fsencode(stem)) > _MAX_NAME_BYTES - len(digest) - 1:
            stem = stem[:-1]
        name = f"{stem}-{digest}"
    return folder.joinpath(*PurePosixPath(*parts).parts, f"{name}.annotated.png")


def run_worker(connection: Connection, setup: WorkerSetup) -> None:
    """Analyze the paths that come through ``connection`` until it closes.

    This is the program of a worker process. It first sends its analyzer's provenance, or the error
    why it has no analyzer; then the results of each list of paths it receives.
    """
    use_one_core()
    keep_blocks()
    try:
        worker = Worker(setup)
    except ProjectError as error:
        connection.send(error)
        return
    connection.send(worker.analyzer.provenance)
    # One photo is read while another is analyzed; reading more ahead would only cost memory.
    queue: Queue[_QueueItem] = Queue(maxsize=1)
    Thread(target=_read_into_queue, args=(connection, worker, queue), daemon=True).start()
    try:
        while True:
            connection.send(worker.analyze(_take_photos(queue)))
    except _RunEnded:
        worker.close()
    except ProjectError as error:
        connection.send(error)


class _RunEnded(Exception):
    """The run has ended: no more paths will come."""


_QueueItem = tuple[str, ReadResult] | BaseException | None
"""A photo; None at the end of a list of paths; or the exception that ended the reading."""


def _read_into_queue(connection: Connection, worker: Worker, queue: Queue[_QueueItem]) -> None:
    try:
        while (paths := _receive_paths(connection)) is not None:
            for path in paths:
                queue.put((path, worker.read(path)))
            queue.put(None)
        queue.put(_RunEnded())
    except BaseException as error:  # noqa: BLE001 - raised again by the thread that takes it
        queue.put(error)


def _receive_paths(connection: Connection) -> list[str] | None:
    """Return the next list of paths; None once the connection is closed."""
    try:
        paths: list[str] = connection.recv()
    except (EOFError, OSError):
        return None
    return paths


def _take_photos(queue: Queue[_QueueItem]) -> Iterator[tuple[str, ReadResult]]:
    """Yield the photos of one list of paths as they are read."""
    while (item := queue.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item
