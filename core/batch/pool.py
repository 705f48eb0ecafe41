"""Worker processes on this computer. If one crashes or hangs, no photo is lost."""

from __future__ import annotations

import itertools
import multiprocessing
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from ..errors import ProjectError, UnreadableImage
from ..types import Provenance
from .rows import FileResult
from .worker import WorkerSetup, run_worker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

PHOTOS_PER_CHUNK = 8
"""Photos whose faces are classified together, and which are analyzed again after a killed run."""
_CHUNKS_PER_WORKER = 2
"""A worker reads the photos of its next chunk while it analyzes the current one."""
_MAX_CRASHES_PER_FILE = 2
"""Report a file as unreadable after two workers crashed while it was their only file; one of them
may have been killed from outside."""
_MAX_FAILED_STARTS = 2
"""Give up if one worker more than these in a row ends before it is ready."""
_SECONDS_PER_PHOTO = 120
"""A worker that sends nothing for so long counts as hung; a photo takes about 50 ms."""
_START_SECONDS = 600
"""Limit for loading the networks, which takes a few seconds, on a very busy computer."""


@dataclass(slots=True)
class _Chunk:
    paths: list[str]
    crashes: int = 0
    """Workers that crashed while this was their only file."""
    suspected: bool = False
    """Whether it is a single file that may have crashed a worker."""


@dataclass(slots=True, eq=False)
class _WorkerProcess:
    process: SpawnProcess
    connection: Connection
    chunks: deque[_Chunk] = field(default_factory=deque)
    ready: bool = False
    last_message_s: float = field(default_factory=time.monotonic)

    def can_take_chunk(self) -> bool:
        # A suspected file gets a worker for itself, so that it is clear what crashed the worker.
        has_suspect = any(chunk.suspected for chunk in self.chunks)
        return self.ready and len(self.chunks) < _CHUNKS_PER_WORKER and not has_suspect

    def is_overdue(self) -> bool:
        if self.ready and not self.chunks:
            return False
        allowed = _START_SECONDS
        if self.ready:
            allowed = _SECONDS_PER_PHOTO * len(self.chunks[0].paths)
        return time.monotonic() - self.last_message_s > allowed

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()


class LocalPool:
    """Worker processes; one that crashes is replaced, and its photos are then tried one by one."""

    def __init__(
        self, setup: WorkerSetup, workers: int, *, photos_per_chunk: int = PHOTOS_PER_CHUNK
    ) -> None:
        self._setup = setup
        self._photos_per_chunk = photos_per_chunk
        self._provenance: Provenance | None = None
        self._waiting: deque[_Chunk] = deque()
        self._finished: deque[list[FileResult]] = deque()
        self._failed_starts = 0
        self._workers: list[_WorkerProcess] = []
        try:
            for _ in range(workers):
                self._workers.append(self._start_worker())
        except BaseException:
            self.close()
            raise

    def get_provenance(self) -> Provenance:
        """Return the provenance of the workers' results; ProjectError if no worker starts."""
        while self._provenance is None:
            self._receive()
        return self._provenance

    def analyze(self, paths: Iterable[str]) -> Iterator[list[FileResult]]:
        """Yield the results as they arrive; ``paths`` is read as workers become free."""
        new_chunks = self._split(paths)
        while True:
            self._distribute(new_chunks)
            while self._finished:
                yield self._finished.popleft()
            if not self._waiting and not any(worker.chunks for worker in self._workers):
                return
            self._receive()

    def close(self) -> None:
        """Kill the processes; what they were analyzing is lost."""
        while self._workers:
            self._workers.pop().kill()

    def _split(self, paths: Iterable[str]) -> Iterator[_Chunk]:
        remaining = iter(paths)
        while chunk := list(itertools.islice(remaining, self._photos_per_chunk)):
            yield _Chunk(chunk)

    def _distribute(self, new_chunks: Iterator[_Chunk]) -> None:
        # In rounds, so that no worker gets a second chunk before every other has its first.
        for chunks_held in range(_CHUNKS_PER_WORKER):
            for worker in list(self._workers):
                if not self._waiting and (chunk := next(new_chunks, None)) is not None:
                    self._waiting.append(chunk)
                if not self._waiting:
                    return
                must_wait = self._waiting[0].suspected and worker.chunks
                if len(worker.chunks) == chunks_held and worker.can_take_chunk() and not must_wait:
                    self._send(worker, self._waiting.popleft())

    def _send(self, worker: _WorkerProcess, chunk: _Chunk) -> None:
        if not worker.chunks:
            worker.last_message_s = time.monotonic()
        worker.chunks.append(chunk)
        try:
            worker.connection.send(chunk.paths)
        except OSError:
            self._replace(worker)

    def _receive(self) -> None:
        """Wait up to a second for messages, and replace workers that are dead or overdue."""
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection), timeout=1.0):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                message = worker.connection.recv()
            except (EOFError, OSError, pickle.UnpicklingError):
                self._replace(worker)
                continue
            worker.last_message_s = time.monotonic()
            if isinstance(message, ProjectError):
                raise message
            self._failed_starts = 0
            if isinstance(message, Provenance):
                self._mark_ready(worker, message)
            else:
                worker.chunks.popleft()
                self._finished.append(message)
        for worker in list(self._workers):
            if worker.is_overdue():
                self._replace(worker)

    def _mark_ready(self, worker: _WorkerProcess, provenance: Provenance) -> None:
        if self._provenance is not None and provenance != self._provenance:
            raise ProjectError(
                "The weights changed during the run.",
                hint="Run the same command again: it starts over with the new weights.",
            )
        self._provenance = provenance
        worker.ready = True

    def _replace(self, worker: _WorkerProcess) -> None:
        """Start another worker in its place, and have its photos tried one by one."""
        self._workers.remove(worker)
        worker.kill()
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts > _MAX_FAILED_STARTS:
                raise ProjectError(
                    "The worker processes end before they are ready.",
                    hint="Free some memory or use fewer --workers; `emotion doctor` checks the "
                    "installation.",
                )
        for chunk in worker.chunks:
            for path in chunk.paths:
                crashes = chunk.crashes + 1 if chunk.suspected else 0
                if crashes == _MAX_CRASHES_PER_FILE:
                    error = UnreadableImage(
                        "The worker process crashed or hung on this file, twice."
                    )
                    self._finished.append([FileResult.from_error(path, error)])
                else:
                    self._waiting.append(_Chunk([path], crashes, suspected=True))
        self._workers.append(self._start_worker())

    def _start_worker(self) -> _WorkerProcess:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=run_worker, args=(there, self._setup), daemon=True)
        if sys.platform != "win32":
            # The first worker would start it otherwise, and that would lift the mask below.
            resource_tracker.ensure_running()
        # A terminal sends Ctrl-C to all its processes, but only this one decides what to do. A
        # worker inherits the mask, so it ignores Ctrl-C from its first moment.
        previous = _mask_signals(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        except OSError as error:
            here.close()
            raise ProjectError(
                "A worker process cannot be started.",
                hint="Free some memory or use fewer --workers.",
            ) from error
        finally:
            there.close()
            _mask_signals(signal.SIG_SETMASK, previous)
        return _WorkerProcess(process, here)


def _mask_signals(how: int, signals: set[signal.Signals]) -> set[signal.Signals]:
    """Change this thread's signal mask; return the mask before. Windows has none."""
    if sys.platform == "win32":
        return set()
    return {signal.Signals(number) for number in signal.pthread_sigmask(how, signals)}
