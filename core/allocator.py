"""Settings of glibc's memory allocator; on other systems every function does nothing."""

from __future__ import annotations

import ctypes
import os
import sys

# mallopt's numbers.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_ARENAS = 2
_LARGEST_KEPT = 32 * 2**20
"""The most that glibc allows; a photo of 8 megapixels in Pillow."""
_KEPT = 64 * 2**20


def share_heaps() -> None:
    """Let all threads of this process share two heaps, for servers with many threads.

    glibc uses up to eight heaps per core, and each keeps the memory of its largest photo. The
    environment variable MALLOC_ARENA_MAX takes precedence.
    """
    _set({_ARENA_MAX: _ARENAS}, unless="MALLOC_ARENA_MAX")


def keep_blocks() -> None:
    """Keep up to 64 MB of freed memory, for a process that reads photo after photo.

    glibc returns large blocks to the system and gets them back page by page, each cleared first;
    that took as long as decoding a photo. MALLOC_TRIM_THRESHOLD_ in the environment takes
    precedence.
    """
    _set(
        {_MMAP_THRESHOLD: _LARGEST_KEPT, _TRIM_THRESHOLD: _KEPT},
        unless="MALLOC_TRIM_THRESHOLD_",
    )


def release_freed() -> None:
    """Return freed memory to the system, for an idle server; takes some milliseconds."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


def _set(options: dict[int, int], *, unless: str) -> None:
    if sys.platform != "linux" or unless in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        for option, value in options.items():
            mallopt(option, value)
