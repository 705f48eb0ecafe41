"""Workers in processes of this computer, each of which may end without taking a photo along."""

from __future__ import annotations

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
from typing import TYPE_CHECKING, Protocol

from ..errors import ProjectError, UnreadableImage
from ..types import Provenance
from .rows import FileResult, failed
from .worker import WorkerConfig, serve

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

PHOTOS_PER_CHUNK = 8
"""Whose faces are classified together; also what is answered again when a run was killed."""
_AHEAD = 2
"""Chunks a worker has: the photos of the next are read while this one's are answered."""
_TRIES_ALONE = 2
"""A worker may be ended from outside, so that only who ends a second one alone is to blame."""
_SECONDS_A_PHOTO = 120
"""After so long without an answer a worker is taken to hang; a photo takes some 50 ms."""
_START_SECONDS = 600
"""For the networks to load, a few seconds, on a computer that is very busy."""


class Pool(Protocol):
    """Workers that answer photos of a source by their paths."""

    def provenance(self) -> Provenance:
        """What the answers are made with; ProjectError when there can be none."""
        ...

    def answers(self, paths: Iterable[str]) -> Iterator[list[FileResult]]:
        """What came of each, in any order; ``paths`` is read as workers become free."""
        ...

    def close(self) -> None:
        """End the workers."""
        ...


@dataclass(slots=True)
class _Chunk:
    paths: list[str]
    tries: int = 0
    """How often it was tried since its photos are tried alone."""
    alone: bool = False


@dataclass(slots=True, eq=False)
class _Process:
    """A worker as seen from here."""

    process: SpawnProcess
    connection: Connection
    chunks: deque[_Chunk] = field(default_factory=deque)
    ready: bool = False
    heard: float = field(default_factory=time.monotonic)

    def takes_more(self) -> bool:
        # A suspect has its worker for itself, so that it is known who ended it.
        return self.ready and len(self.chunks) < _AHEAD and not any(c.alone for c in self.chunks)

    def late(self) -> bool:
        if self.ready and not self.chunks:
            return False
        allowed = _START_SECONDS
        if self.ready:
            allowed = _SECONDS_A_PHOTO * len(self.chunks[0].paths)
        return time.monotonic() - self.heard > allowed

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()


class LocalPool:
    """Processes that answer; one that ends is replaced, and its photos are tried one by one."""

    def __init__(
        self, work: WorkerConfig, workers: int, *, photos_per_chunk: int = PHOTOS_PER_CHUNK
    ) -> None:
        self._work = work
        self._photos_a_chunk = photos_per_chunk
        self._provenance: Provenance | None = None
        self._waiting: deque[_Chunk] = deque()
        self._done: deque[list[FileResult]] = deque()
        self._unready_ends = 0
        self._processes: list[_Process] = []
        try:
            for _ in range(workers):
                self._processes.append(self._started())
        except BaseException:
            self.close()
            raise

    def provenance(self) -> Provenance:
        """As the first worker that is ready tells it."""
        while self._provenance is None:
            self._listen()
        return self._provenance

    def answers(self, paths: Iterable[str]) -> Iterator[list[FileResult]]:
        """The answers of one chunk after another, as they come."""
        fresh = self._chunks(paths)
        while True:
            self._hand_out(fresh)
            while self._done:
                yield self._done.popleft()
            if not self._waiting and not any(worker.chunks for worker in self._processes):
                return
            self._listen()

    def close(self) -> None:
        """End the processes at once; what they were about to answer is lost."""
        while self._processes:
            self._processes.pop().end()

    def _chunks(self, paths: Iterable[str]) -> Iterator[_Chunk]:
        chunk: list[str] = []
        for path in paths:
            chunk.append(path)
            if len(chunk) == self._photos_a_chunk:
                yield _Chunk(chunk)
                chunk = []
        if chunk:
            yield _Chunk(chunk)

    def _hand_out(self, fresh: Iterator[_Chunk]) -> None:
        # By turns, so that no worker gets a second chunk before every other has a first.
        for busy in range(_AHEAD):
            for worker in list(self._processes):
                if not self._waiting and (chunk := next(fresh, None)) is not None:
                    self._waiting.append(chunk)
                if not self._waiting:
                    return
                suits = not (self._waiting[0].alone and worker.chunks)
                if len(worker.chunks) == busy and worker.takes_more() and suits:
                    self._give(worker, self._waiting.popleft())

    def _give(self, worker: _Process, chunk: _Chunk) -> None:
        if not worker.chunks:
            worker.heard = time.monotonic()
        worker.chunks.append(chunk)
        try:
            worker.connection.send(chunk.paths)
        except OSError:
            self._ended(worker)

    def _listen(self) -> None:
        """Wait until a worker says something, or one has to be given up."""
        by_connection = {worker.connection: worker for worker in self._processes}
        for connection in wait(list(by_connection), timeout=1.0):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                told = worker.connection.recv()
            except (EOFError, OSError, pickle.UnpicklingError):
                self._ended(worker)
                continue
            worker.heard = time.monotonic()
            if isinstance(told, ProjectError):
                raise told
            self._unready_ends = 0
            if isinstance(told, Provenance):
                self._welcome(worker, told)
            else:
                worker.chunks.popleft()
                self._done.append(told)
        for worker in list(self._processes):
            if worker.late():
                self._ended(worker)

    def _welcome(self, worker: _Process, provenance: Provenance) -> None:
        if self._provenance is not None and provenance != self._provenance:
            raise ProjectError(
                "The weights changed while the photos were answered.",
                hint="Run the same command again: it begins anew with the weights there are.",
            )
        self._provenance = provenance
        worker.ready = True

    def _ended(self, worker: _Process) -> None:
        """Put another worker in its place and have its photos tried one by one."""
        self._processes.remove(worker)
        worker.end()
        if not worker.ready:
            self._unready_ends += 1
            if self._unready_ends > _TRIES_ALONE:
                raise ProjectError(
                    "The processes that answer photos end before they are ready.",
                    hint="Free some memory or take fewer --workers; `emotion doctor` checks the "
                    "installation.",
                )
        for chunk in worker.chunks:
            for path in chunk.paths:
                tries = chunk.tries + 1 if chunk.alone else 0
                if tries == _TRIES_ALONE:
                    self._done.append([failed(path, _fatal())])
                else:
                    self._waiting.append(_Chunk([path], tries, alone=True))
        self._processes.append(self._started())

    def _started(self) -> _Process:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=serve, args=(there, self._work), daemon=True)
        if sys.platform != "win32":
            # Started along with the first worker otherwise, which would lift the mask below.
            resource_tracker.ensure_running()
        # Ctrl-C reaches every process of the terminal; this one alone decides what follows. A
        # worker inherits the mask, so that it is deaf from its first moment on.
        before = _mask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        except OSError as error:
            here.close()
            raise ProjectError(
                "A process that answers photos cannot be started.",
                hint="Free some memory or take fewer --workers.",
            ) from error
        finally:
            there.close()
            _mask(signal.SIG_SETMASK, before)
        return _Process(process, here)


def _mask(how: int, signals: set[signal.Signals]) -> set[signal.Signals]:
    if sys.platform == "win32":
        return set()
    return {signal.Signals(each) for each in signal.pthread_sigmask(how, signals)}


def _fatal() -> ProjectError:
    return UnreadableImage("The process that answered this file crashed or hung, twice.")


def count_usable_cores() -> int:
    """One for each processor core that this process may use, also inside a container."""
    import joblib

    return int(joblib.cpu_count())
