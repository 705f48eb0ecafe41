"""Settings of glibc's memory allocator; on other systems every function does nothing."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

# Options of mallopt, from glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -2, -3, -4, -8
_LARGEST_KEPT = 32 * 2**20
"""The most that glibc allows; a photo of 8 megapixels in Pillow."""


def share_heaps() -> None:
    """Let all threads of this process share two heaps, for servers with many threads.

    glibc uses up to eight heaps per core, and each keeps the memory of its largest photo. The
    environment variable MALLOC_ARENA_MAX takes precedence.
    """
    if "MALLOC_ARENA_MAX" not in os.environ:
        _set_options({_ARENA_MAX: 2})


def keep_blocks() -> None:
    """Keep up to 64 MB of freed memory, for a process that reads photo after photo.

    glibc returns large blocks to the system and gets them back page by page, each cleared first;
    that took as long as decoding a photo. MALLOC_TRIM_THRESHOLD_ in the environment takes
    precedence.
    """
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        _set_options({_MMAP_THRESHOLD: _LARGEST_KEPT, _TRIM_THRESHOLD: 64 * 2**20})


def keep_freed_memory() -> bool:
    """Keep all freed memory for the next allocation; return whether that was possible.

    Activations of a training step are tens of megabytes. Fetching such blocks from the system
    again in every step takes a good part of the time on a CPU (`make bench` measures how much).
    The process stays as large as its largest step, which it needs anyway.
    """
    return _set_options({_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 * 2**20})


def release_freed() -> None:
    """Return freed memory to the system, for an idle server; takes some milliseconds."""
    if trim := _find_function("malloc_trim"):
        trim(0)


def _set_options(options: dict[int, int]) -> bool:
    mallopt = _find_function("mallopt")
    return mallopt is not None and all(mallopt(*option) for option in options.items())


def _find_function(name: str) -> Any:
    """Return a function of glibc; None elsewhere, also with musl."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
