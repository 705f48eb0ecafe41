"""A bounded queue for all work that runs networks, shared by all visitors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from core import ProjectError

MAX_RUNNING = 2
"""One answer fills the cores while the next photo is decoded; more would only take memory."""
MAX_WAITING = 32
"""Visitors that may wait, also in the Gradio demo's own queue."""
MAX_FILMS = 2
"""Films read at the same time. Each has a decoder process and takes turns with the photos, frame
by frame; more would only make all of them slower."""
MAX_WAITING_FILMS = 8


class BusyError(ProjectError):
    """The queue is full."""


class Admission:
    """Admit a few at a time, first come, first served; refuse those for whom the queue is full.

    One that leaves and comes back waits behind all others: a film asks again for each frame, so
    a photo waits for one frame and not for the film.
    """

    def __init__(
        self, at_once: int = MAX_RUNNING, waiting: int = MAX_WAITING, *, what: str = "photos"
    ) -> None:
        self._at_once, self._most, self._what = at_once, at_once + waiting, what
        self._changed = Condition()
        self._line: deque[object] = deque()
        self._running = 0

    @contextmanager
    def admit(self, *, patient: bool = False) -> Iterator[None]:
        """Wait for a place and hold it in the block.

        BusyError at once if the queue is full, unless ``patient``: for work that has begun.
        """
        ticket = object()
        with self._changed:
            if not patient and self._running + len(self._line) >= self._most:
                raise BusyError(
                    f"Too many {self._what} are waiting.", hint="Try again in a minute."
                )
            self._line.append(ticket)
            try:
                self._changed.wait_for(
                    lambda: self._line[0] is ticket and self._running < self._at_once
                )
                self._running += 1
            finally:
                self._line.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()


ADMISSION = Admission()
"""Shared by all visitors of this server."""
FILMS = Admission(MAX_FILMS, MAX_WAITING_FILMS, what="films")
"""For a whole film each."""
