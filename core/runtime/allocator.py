"""What the C library's allocator keeps of memory that is free again, where that is glibc's."""

from __future__ import annotations

import ctypes
import os
import sys

_ARENA_MAX = -8
"""mallopt's number for the most heaps that threads are spread over."""
_ARENAS = 2


def share_heaps() -> None:
    """Let all threads of this process share two heaps, for servers that answer in many threads.

    glibc spreads threads over up to eight heaps a core, and each keeps what its largest photo took;
    the app has a thread for each answer. Where MALLOC_ARENA_MAX is set it holds; elsewhere than in
    glibc nothing is done.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_ARENA_MAX, _ARENAS)
