"""Keeping messages of native libraries off the user's terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_ONE_AT_A_TIME = threading.Lock()
"""Overlapping redirections would restore each other's target and leave standard error silent."""


@contextlib.contextmanager
def discard_stderr() -> Iterator[None]:
    """Discard what native code writes to standard error.

    FFmpeg logs straight to file descriptor 2 and has no switch for it. Output of other threads is
    lost meanwhile, so this is for short calls only.
    """
    with _ONE_AT_A_TIME:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # it may be closed or None
            sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:  # a service may run with standard error closed
            yield
            return
        try:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
