"""Free memory while nobody uses the server."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from core import ProjectError, release_freed, renew_reader

IDLE_S = 60.0


def free_memory() -> None:
    """Collect garbage, return freed memory to the system and restart used decoders."""
    with suppress(ProjectError):  # reported with the next photo
        renew_reader()
    gc.collect()
    release_freed()


class IdleTasks:
    """Run tasks once after each period of activity, when it has been quiet for ``seconds``.

    Thread-safe; its own thread ends with the process.
    """

    def __init__(self, seconds: float, *tasks: Callable[[], object]) -> None:
        self._seconds = seconds
        self._tasks = tasks
        self._last = 0.0
        self._active = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def note_activity(self) -> None:
        """Restart the wait: somebody uses the server."""
        self._last = time.monotonic()
        self._active.set()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="idle")
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._active.wait()
            left = self._last + self._seconds - time.monotonic()
            if left > 0:
                time.sleep(left)
                continue
            self._active.clear()
            for task in self._tasks:
                task()
