"""A bounded queue for all work that runs networks, shared by all visitors."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock

from core import ProjectError

MAX_RUNNING = 2
"""One answer fills the cores while the next photo is decoded; more would only take memory."""
MAX_WAITING = 32
"""Visitors that may wait, also in the Gradio demo's own queue."""
MAX_FILMS = 2
"""Films read at the same time. Each has a decoder process and takes turns with the photos, frame
by frame; more would only make all of them slower."""
MAX_WAITING_FILMS = 8
MAX_CAMERAS = MAX_WAITING // 2
"""Cameras that run at the same time. Each has at most one message in the queue, so that photos
always find a place there."""
_CAMERA_PAUSE_S = 60.0
"""After that time without a message, another camera may have the place."""


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


class CameraPlaces:
    """Keep the places of the cameras that run; refuse new ones when all are taken."""

    def __init__(self, places: int = MAX_CAMERAS) -> None:
        self._places = places
        self._lock = Lock()
        self._last_s: dict[str, float] = {}

    def keep(self, key: str) -> None:
        """Take or keep the place of the camera ``key``. BusyError if none is free."""
        now = time.monotonic()
        with self._lock:
            if key not in self._last_s and len(self._last_s) >= self._places:
                idle = [each for each, s in self._last_s.items() if now - s > _CAMERA_PAUSE_S]
                for each in idle:
                    del self._last_s[each]
                if not idle:
                    raise BusyError("Too many cameras are running.", hint="Try again in a minute.")
            self._last_s[key] = now

    def leave(self, key: str) -> None:
        """Free the place of the camera ``key``, if it has one."""
        with self._lock:
            self._last_s.pop(key, None)


ADMISSION = Admission()
"""Shared by all visitors of this server."""
FILMS = Admission(MAX_FILMS, MAX_WAITING_FILMS, what="films")
"""For a whole film each."""
CAMERAS = CameraPlaces()
