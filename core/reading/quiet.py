"""Keeps what Pillow and libtiff say on the side away from the user's terminal.

Everything that matters about a file is raised as an error; what comes besides is chatter: Python
warnings and one log record from Pillow, and lines that libtiff writes to file descriptor 2 by
itself. Nothing global is changed for the rest of the process: the two filters let everything
through except on a thread that is reading a picture, and libtiff's message handler is put back
when the last reader leaves. Redirecting descriptor 2 instead would swallow what other threads
say, and a process started meanwhile would keep the wrong one for good.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

_this_thread = threading.local()
_filters_lock = threading.Lock()


@contextlib.contextmanager
def quiet(*, libtiff: bool = False) -> Iterator[None]:
    """Silence Pillow on this thread, and libtiff in the process if asked, inside the block."""
    _install_filters()
    _this_thread.reading = True
    try:
        with _libtiff_silence if libtiff else contextlib.nullcontext():
            yield
    finally:
        _this_thread.reading = False


def _reading() -> bool:
    return getattr(_this_thread, "reading", False)


class _PillowWhileReading:
    """Stands in a warning filter where a pattern for the module's name is expected."""

    def match(self, module: str) -> bool:
        return _reading() and module.startswith("PIL.")


def _drop_while_reading(_record: logging.LogRecord) -> bool:
    return not _reading()


def _install_filters() -> None:
    logging.getLogger("PIL.TiffImagePlugin").addFilter(_drop_while_reading)
    filters: Any = warnings.filters
    if filters and isinstance(filters[0][3], _PillowWhileReading):
        return
    # The first filter that matches wins, and others have put theirs in front since. A new one is
    # set before the old ones go, because another thread may be reading.
    with _filters_lock:
        old = [entry for entry in filters if isinstance(entry[3], _PillowWhileReading)]
        filters.insert(0, ("ignore", None, Warning, _PillowWhileReading(), 0))
        for entry in old:
            with contextlib.suppress(ValueError):
                filters.remove(entry)


class _LibtiffSilence:
    """Takes libtiff's message handlers away while anybody is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._taken: list[int | None] = []

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._taken = [set_handler(None) for set_handler in _handler_setters()]

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                for set_handler, taken in zip(_handler_setters(), self._taken, strict=True):
                    set_handler(taken)


_libtiff_silence = _LibtiffSilence()


@functools.cache
def _handler_setters() -> tuple[Callable[[int | None], int | None], ...]:
    """The setters of libtiff's message handlers; empty where Pillow hides its copy.

    They are found through Pillow's own module, whose copy of libtiff is the one that speaks.
    """
    found = []
    with contextlib.suppress(OSError, AttributeError):
        spec = importlib.util.find_spec("PIL._imaging")
        library = ctypes.CDLL(spec.origin if spec else None)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            setter = library[name]
            setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
            found.append(setter)
    return tuple(found)
