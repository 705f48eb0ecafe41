"""Keeping messages of Pillow and libtiff off the user's terminal.

Everything that matters about a file is raised as an error. The rest is noise: Python warnings and
one log record from Pillow, and lines that libtiff writes to file descriptor 2. The two filters act
only on a thread that is reading an image, and libtiff's message handler is restored when the last
reader leaves. Redirecting descriptor 2 instead would lose the output of other threads, and a
process started meanwhile would keep the wrong descriptor.
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
def silence_decoders(*, libtiff: bool = False) -> Iterator[None]:
    """Silence Pillow on this thread, and on request libtiff in the process, inside the block."""
    _install_filters()
    _this_thread.reading = True
    try:
        with _libtiff_silence if libtiff else contextlib.nullcontext():
            yield
    finally:
        _this_thread.reading = False


def _is_reading() -> bool:
    return getattr(_this_thread, "reading", False)


class _PillowWhileReading:
    """Used in a warning filter in place of a pattern for the module's name."""

    def match(self, module: str) -> bool:
        return _is_reading() and module.startswith("PIL.")


def _drop_while_reading(_record: logging.LogRecord) -> bool:
    return not _is_reading()


def _install_filters() -> None:
    logging.getLogger("PIL.TiffImagePlugin").addFilter(_drop_while_reading)
    filters: Any = warnings.filters
    if filters and isinstance(filters[0][3], _PillowWhileReading):
        return
    # The first matching filter wins, and others may have been added in front since. The new one is
    # added before the old ones are removed, because another thread may be reading.
    with _filters_lock:
        old = [entry for entry in filters if isinstance(entry[3], _PillowWhileReading)]
        filters.insert(0, ("ignore", None, Warning, _PillowWhileReading(), 0))
        for entry in old:
            with contextlib.suppress(ValueError):
                filters.remove(entry)


class _LibtiffSilence:
    """Removes libtiff's message handlers while any thread is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._taken: list[int | None] = []

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._taken = [set_handler(None) for set_handler in find_handler_setters()]

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                for set_handler, taken in zip(find_handler_setters(), self._taken, strict=True):
                    set_handler(taken)


_libtiff_silence = _LibtiffSilence()


@functools.cache
def find_handler_setters() -> tuple[Callable[[int | None], int | None], ...]:
    """Return the setters of libtiff's message handlers; empty if Pillow hides its copy.

    They are found through Pillow's own module, whose copy of libtiff writes the messages.
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
