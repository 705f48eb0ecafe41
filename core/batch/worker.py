"""A worker of a batch run: it reads photos ahead, analyzes them and returns their rows."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
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
from ..types import RgbImage
from .journal import report_resumable_disk_errors
from .rows import FileResult
from .source import Source

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ..pipeline import Analyzer, PreparedImage

    _Pending = tuple[str, PreparedImage, RgbImage | None]
    """A path, its faces cut out but not classified yet, and the photo if it is to be annotated."""

_FACES_PER_CALL, _FACES_PER_CALL_GPU = 2, 32
"""Faces the classifier gets at once. Always the same number, padded if need be, so that no answer
depends on how files were grouped. On one processor core larger batches are no faster, and padding
costs as much as faces do."""

_MAX_HELD_PIXELS = 16_000_000
"""Of photos that wait to be annotated: 48 MB, or a single larger photo."""
_MAX_NAME_BYTES = 230
"""Longest file name before a suffix is added; most file systems allow 255 bytes."""

Photo = tuple[str, RgbImage | ProjectError]
"""A path, and its photo or the error that explains why it could not be read."""


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


class Worker:
    """Analyzes files of a source by their paths."""

    def __init__(self, setup: WorkerSetup, reader: IsolatedReader | None = None) -> None:
        self._setup = setup
        self._reader = reader or IsolatedReader(1, several_owners=False)
        self._reader.prepare()
        self.analyzer = setup.make_analyzer(setup.config)
        on_gpu = setup.config.device is not Device.CPU and has_gpu()
        self._faces_per_call = _FACES_PER_CALL_GPU if on_gpu else _FACES_PER_CALL

    def read(self, path: str) -> RgbImage | ProjectError:
        """Return the photo, or the error that explains why it cannot be read."""
        try:
            return self._setup.source.read(path, self._reader)
        except ProjectError as error:
            return error

    def read_ahead(self, paths: Iterable[str | None]) -> Iterator[Photo | None]:
        """Yield (path, photo) pairs, reading one photo ahead in a second thread.

        None ends a chunk and is passed on.
        """
        # One photo is read while another is analyzed; reading more ahead would only cost memory.
        queue: Queue[Photo | BaseException | None] = Queue(maxsize=1)
        end = EOFError()

        def read_into_queue() -> None:
            try:
                for path in paths:
                    queue.put(None if path is None else (path, self.read(path)))
                queue.put(end)
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that takes it
                queue.put(error)

        Thread(target=read_into_queue, daemon=True).start()
        while (item := queue.get()) is not end:
            if isinstance(item, BaseException):
                raise item
            yield item

    def analyze(self, photos: Iterable[Photo]) -> list[FileResult]:
        """Return a result for each photo, in any order.

        ConfigError if an annotated copy cannot be written. A photo's pixels are released as soon
        as its faces are cut out; those to be annotated, when there are many of them.
        """
        results: list[FileResult] = []
        pending: list[_Pending] = []
        held_pixels = 0
        for path, image in photos:
            try:
                if isinstance(image, ProjectError):
                    raise image
                prepared = self.analyzer.prepare(image)
            except ProjectError as error:
                results.append(FileResult.from_error(path, error))
                continue
            if self._setup.annotate is None:
                pending.append((path, prepared, None))
                continue
            pending.append((path, prepared, image))
            held_pixels += image.width * image.height
            if held_pixels > _MAX_HELD_PIXELS:
                results += self._finish(pending)
                pending, held_pixels = [], 0
        return results + self._finish(pending)

    def close(self) -> None:
        """End the decoder's process."""
        self._reader.close()

    def _finish(self, pending: Sequence[_Pending]) -> list[FileResult]:
        """Return the results of the pending photos, and write their annotated copies."""
        from ..output.render import annotate, encode_png

        try:
            prepared = [image for _, image, _ in pending]
            analyses = self.analyzer.classify(prepared, faces_per_call=self._faces_per_call)
        except ProjectError as error:
            if len(pending) == 1:
                return [FileResult.from_error(pending[0][0], error)]
            # One photo has no usable answer; classify them one by one to keep the others.
            return [result for photo in pending for result in self._finish([photo])]
        results = []
        for (path, _, image), analysis in zip(pending, analyses, strict=True):
            if image is not None and self._setup.annotate is not None:
                target = get_annotated_path(self._setup.annotate, path)
                with report_resumable_disk_errors(target):
                    atomic_write(target, encode_png(annotate(image, analysis)))
            results.append(FileResult.from_analysis(path, analysis))
        return results


def use_one_core() -> None:
    """Limit this process to one processor core; call it before any network is loaded.

    There are as many workers as cores, so each gets one. All workers must be alike, because the
    last bits of a network's output depend on its number of threads.
    """
    import cv2

    os.environ["OMP_NUM_THREADS"] = "1"  # read by torch and OpenVINO
    cv2.setNumThreads(1)


def get_annotated_path(folder: Path, path: str) -> Path:
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
    that explains why it has no analyzer; then the results of each list of paths it receives.
    """
    use_one_core()
    keep_blocks()
    # The run may be killed at any moment; nobody is left then who would read a traceback.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        _send_results(connection, setup)


def _send_results(connection: Connection, setup: WorkerSetup) -> None:
    try:
        worker = Worker(setup)
    except ProjectError as error:
        connection.send(error)
        return
    connection.send(worker.analyzer.provenance)
    photos = worker.read_ahead(_receive_paths(connection))
    try:
        while (first := next(photos, None)) is not None:
            rest_of_list = iter(lambda: next(photos), None)
            connection.send(worker.analyze(itertools.chain([first], rest_of_list)))
        worker.close()
    except ProjectError as error:
        connection.send(error)


def _receive_paths(connection: Connection) -> Iterator[str | None]:
    """Yield the paths of each list that comes, and None at its end, until the run closes."""
    while True:
        try:
            paths: list[str] = connection.recv()
        except (EOFError, OSError):
            return
        yield from paths
        yield None
