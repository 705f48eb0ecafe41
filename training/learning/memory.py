"""Asking the C library to keep what it frees."""

from __future__ import annotations

import ctypes
import sys

# From glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_ALL = 2**31 - 1


def keep_freed_memory() -> bool:
    """Make this process keep freed memory for its next allocation; whether that was possible.

    Activations of a training step are tens of megabytes. glibc hands such blocks back to the
    kernel when they are freed and gets them back zeroed, page by page, in the next step: on a
    CPU that costs a good part of the time (`make bench` tells how much). The process stays as
    large as its largest step, which is what it needs anyway. Does nothing without glibc.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return all(
        library.mallopt(option, value)
        for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _ALL), (_TOP_PAD, 2**26))
    )
