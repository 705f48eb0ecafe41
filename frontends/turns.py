"""Whose photo is answered next, where many visitors have come at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from core import ProjectError

AT_ONCE = 2
"""One answer fills the cores while the next one's photo is decoded; more would only take memory."""
WAITING = 32
"""As many as wait for the Gradio demo."""


class Turns:
    """Lets a few through at a time; the others wait, and are turned away where too many do."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._room = BoundedSemaphore(at_once + waiting)
        self._working = BoundedSemaphore(at_once)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait, then hold a turn inside the block; ProjectError at once if there is no room."""
        if not self._room.acquire(blocking=False):
            raise ProjectError(
                "Too many photos are waiting to be answered.", hint="Try again in a minute."
            )
        try:
            with self._working:
                yield
        finally:
            self._room.release()


TURNS = Turns()
"""Of all visitors of this server."""
