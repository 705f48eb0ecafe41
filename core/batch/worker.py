"""What a worker does: reads photos ahead, answers them, gives back their rows."""

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
from ..errors import ConfigError, ProjectError
from ..files import atomic_file
from ..reading.isolation import IsolatedReader
from ..runtime.gpu import has_gpu
from ..types import ImageAnalysis, RgbImage
from .disk_errors import report_disk_errors
from .rows import FileResult, answered, failed
from .source import Source

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ..pipeline import Analyzer, Examined

_FACES_A_CALL, _FACES_A_CALL_GPU = 2, 32
"""Of the classifier: always so many, so that no answer depends on how files were grouped. On one
processor core more at once gain nothing, and places left over cost as much as faces."""

_KEPT_PIXELS = 16_000_000
"""Of photos that wait to be annotated: 48 MB, or a single larger one."""
_LONGEST_NAME = 230
"""Bytes of a file name, less than the usual 255 for what is put around it."""

Read = RgbImage | ProjectError


def make_analyzer(config: AnalyzerConfig) -> Analyzer:
    """The analyzer that ``config`` describes."""
    from ..pipeline import Analyzer

    return Analyzer.from_config(config)


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What every worker of a run is told once; crosses a process boundary."""

    config: AnalyzerConfig
    source: Source
    annotate: Path | None = None
    make: Callable[[AnalyzerConfig], Analyzer] = make_analyzer


@dataclass(slots=True)
class _Pending:
    """Files of which the rows are not made yet; None stands for one that could not be read."""

    paths: list[str] = field(default_factory=list)
    examined: list[Examined] = field(default_factory=list)
    images: list[RgbImage] = field(default_factory=list)


class Worker:
    """Answers files of a source by their paths."""

    def __init__(self, work: WorkerConfig, reader: IsolatedReader | None = None) -> None:
        self._work = work
        self._reader = reader or IsolatedReader(1)
        self._reader.prepare()
        self.analyzer = work.make(work.config)
        on_gpu = work.config.device is not Device.CPU and has_gpu()
        self._faces_a_call = _FACES_A_CALL_GPU if on_gpu else _FACES_A_CALL

    def read(self, path: str) -> Read:
        """The photo, or why it cannot be read."""
        try:
            return self._work.source.read(path, self._reader)
        except ProjectError as error:
            return error

    def read_ahead(self, paths: Iterable[str]) -> Iterator[tuple[str, Read]]:
        """The photos, each read while the one before is answered."""
        with ThreadPoolExecutor(1) as ahead:
            reads = ((path, ahead.submit(self.read, path)) for path in paths)
            current = next(reads, None)
            while current is not None:
                following = next(reads, None)
                path, read = current
                yield path, read.result()
                current = following

    def answer(self, photos: Iterable[tuple[str, Read]]) -> list[FileResult]:
        """What came of each photo, in their order; ConfigError when a picture cannot be written.

        A photo's pixels are let go as soon as its faces are cut out, or with ``annotate`` when
        they have become many.
        """
        answers: dict[str, FileResult] = {}
        order: list[str] = []
        pending = _Pending()
        for path, image in photos:
            order.append(path)
            try:
                if isinstance(image, ProjectError):
                    raise image
                pending.examined.append(self.analyzer.examine(image))
            except ProjectError as error:
                answers[path] = failed(path, error)
                continue
            pending.paths.append(path)
            if self._work.annotate is not None:
                pending.images.append(image)
                if sum(each.width * each.height for each in pending.images) > _KEPT_PIXELS:
                    answers |= self._concluded(pending)
                    pending = _Pending()
        answers |= self._concluded(pending)
        return [answers[path] for path in order]

    def close(self) -> None:
        """End the decoder's process."""
        self._reader.close()

    def _concluded(self, pending: _Pending) -> dict[str, FileResult]:
        answers: dict[str, FileResult] = {}
        analyses = self._analyses(pending)
        for number, (path, analysis) in enumerate(zip(pending.paths, analyses, strict=True)):
            if isinstance(analysis, ProjectError):
                answers[path] = failed(path, analysis)
                continue
            if self._work.annotate is not None:
                _annotate(self._work.annotate, path, pending.images[number], analysis)
            answers[path] = answered(path, analysis)
        return answers

    def _analyses(self, pending: _Pending) -> list[ImageAnalysis | ProjectError]:
        conclude = self.analyzer.conclude
        try:
            return list(conclude(pending.examined, faces_a_call=self._faces_a_call))
        except ProjectError:
            # One of them has no usable answer; the others shall not suffer for it.
            each: list[ImageAnalysis | ProjectError] = []
            for one in pending.examined:
                try:
                    each.extend(conclude([one], faces_a_call=self._faces_a_call))
                except ProjectError as error:
                    each.append(error)
            return each


def use_one_core() -> None:
    """Have this process, before it loads any network, answer on one processor core.

    As many workers as cores, so each has one; and all of them alike, whatever their number,
    because the last bits of a network's values depend on its threads.
    """
    import cv2

    os.environ["OMP_NUM_THREADS"] = "1"  # torch and OpenVINO go by it
    cv2.setNumThreads(1)


def _annotate(folder: Path, path: str, image: RgbImage, analysis: ImageAnalysis) -> None:
    from ..output.render import annotate, encode_png

    target = annotated_path(folder, path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"Nothing can be written to {folder}: {error.strerror}.",
            hint="Name a folder that you may write to, on a disk with room.",
        ) from error
    with report_disk_errors(target), atomic_file(target) as file:
        file.write(encode_png(annotate(image, analysis)))


def annotated_path(folder: Path, path: str) -> Path:
    """Where the annotated copy of ``path`` goes: the same folders, so that no two meet."""
    # In an object store a name may lead upwards.
    parts = ["%2E%2E" if part == ".." else part for part in path.split("/")]
    name = parts.pop()
    if len(os.fsencode(name)) > _LONGEST_NAME:
        told = hashlib.blake2b(os.fsencode(name), digest_size=4).hexdigest()
        stem = name
        while len(os.fsencode(stem)) > _LONGEST_NAME - len(told) - 1:
            stem = stem[:-1]
        name = f"{stem}-{told}"
    return folder.joinpath(*PurePosixPath(*parts).parts, f"{name}.annotated.png")


def serve(connection: Connection, work: WorkerConfig) -> None:
    """Answer what comes through ``connection`` until it ends: the program of a worker process.

    Sends what the answers are made with, or the error why there will be none; then for each list
    of paths its answers.
    """
    use_one_core()
    keep_blocks()
    try:
        worker = Worker(work)
    except ProjectError as error:
        connection.send(error)
        return
    connection.send(worker.analyzer.provenance)
    # One is read while another is answered; more would only cost memory.
    ready: Queue[_Next] = Queue(maxsize=1)
    Thread(target=_read_ahead, args=(connection, worker, ready), daemon=True).start()
    try:
        while True:
            connection.send(worker.answer(_photos(ready)))
    except _Over:
        worker.close()
    except ProjectError as error:
        connection.send(error)


class _Over(Exception):
    """The run has ended."""


_Next = tuple[str, Read] | BaseException | None
"""A photo; None at a list's end; what ended the reading."""


def _read_ahead(connection: Connection, worker: Worker, ready: Queue[_Next]) -> None:
    try:
        while (paths := _received(connection)) is not None:
            for path in paths:
                ready.put((path, worker.read(path)))
            ready.put(None)
        ready.put(_Over())
    except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
        ready.put(error)


def _received(connection: Connection) -> list[str] | None:
    try:
        paths: list[str] = connection.recv()
    except (EOFError, OSError):
        return None
    return paths


def _photos(ready: Queue[_Next]) -> Iterator[tuple[str, Read]]:
    """The photos of one list, as they are read."""
    while (given := ready.get()) is not None:
        if isinstance(given, BaseException):
            raise given
        yield given
