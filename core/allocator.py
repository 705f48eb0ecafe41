"""What the C library's allocator keeps of memory that is free again, where that is glibc's."""

from __future__ import annotations

import ctypes
import os
import sys

# mallopt's numbers.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_ARENAS = 2
_LARGEST_KEPT = 32 * 2**20
"""What glibc allows at most; a photo of 8 megapixels as Pillow holds it."""
_KEPT = 64 * 2**20


def share_heaps() -> None:
    """Let all threads of this process share two heaps, for servers that answer in many threads.

    glibc spreads threads over up to eight heaps a core, and each keeps what its largest photo took;
    the app has a thread for each answer. Where MALLOC_ARENA_MAX is set it holds; elsewhere than in
    glibc nothing is done.
    """
    _set({_ARENA_MAX: _ARENAS}, unless="MALLOC_ARENA_MAX")


def keep_blocks() -> None:
    """Keep up to 64 MB of what this process frees, for one that reads photo after photo.

    glibc hands blocks of some megabytes back to the system when they are freed, and gets them
    back page by page, each page cleared first; that took as long as decoding a photo. Where
    MALLOC_TRIM_THRESHOLD_ is set it holds; elsewhere than in glibc nothing is done.
    """
    _set(
        {_MMAP_THRESHOLD: _LARGEST_KEPT, _TRIM_THRESHOLD: _KEPT},
        unless="MALLOC_TRIM_THRESHOLD_",
    )


def release_freed() -> None:
    """Give the system back what is free again, for a server that nobody asks anything.

    Takes some milliseconds. Elsewhere than in glibc nothing is done.
    """
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
