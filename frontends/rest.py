"""What a server lets go while nobody asks it anything."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from core import ProjectError, release_freed, renew_reader

REST_S = 60.0


def let_go() -> None:
    """Give the system back what answers took: garbage, freed memory, decoders of many photos."""
    with suppress(ProjectError):  # told to whom sends the next photo
        renew_reader()
    gc.collect()
    release_freed()


class Rest:
    """Does some works once nobody has come for a while, and again when somebody has come since.

    Safe from several threads; its own thread ends with the process.
    """

    def __init__(self, seconds: float, *works: Callable[[], object]) -> None:
        self._seconds = seconds
        self._works = works
        self._last = 0.0
        self._come = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def interrupt(self) -> None:
        """Somebody has come."""
        self._last = time.monotonic()
        self._come.set()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="rest")
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._come.wait()
            left = self._last + self._seconds - time.monotonic()
            if left > 0:
                time.sleep(left)
                continue
            self._come.clear()
            for work in self._works:
                work()
