"""Keeping a native library's start-up lines off the user's terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_ONE_AT_A_TIME = threading.Lock()
"""Two that overlap would each keep what the other redirected, and leave standard error mute."""


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what native code writes to standard error nowhere.

    FFmpeg and its like log straight to file descriptor 2 and offer no switch for it. What other
    threads write meanwhile is lost too, so this is for short calls only.
    """
    with _ONE_AT_A_TIME:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # it may be closed or None
            sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:  # A service may run with standard error closed: nothing to keep quiet.
            yield
            return
        try:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
