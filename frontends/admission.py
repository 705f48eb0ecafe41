"""A bounded queue for all work that runs networks, shared by all visitors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from core import ProjectError

MAX_RUNNING = 2
"""One answer fills the cores while the next photo is decoded; more would only take memory."""
MAX_WAITING = 32
"""Visitors that may wait, also in the Gradio demo's own queue."""


class Admission:
    """Admit a few at a time; let others wait, and refuse those for whom the queue is full."""

    def __init__(self, at_once: int = MAX_RUNNING, waiting: int = MAX_WAITING) -> None:
        self._room = BoundedSemaphore(at_once + waiting)
        self._working = BoundedSemaphore(at_once)

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Wait for a place and hold it in the block; ProjectError at once if the queue is full."""
        if not self._room.acquire(blocking=False):
            raise ProjectError("Too many photos are waiting.", hint="Try again in a minute.")
        try:
            with self._working:
                yield
        finally:
            self._room.release()


ADMISSION = Admission()
"""Shared by all visitors of this server."""
