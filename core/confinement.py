"""Taking from a decoder's process everything that decoding does not need.

A decoder is C code that meets hostile bytes. If an attacker takes its process over, the system
itself must refuse what a photo never needs: other files, connections, programs and processes. On
Linux two parts of the kernel do that: seccomp lets through only the calls listed here, and Landlock
allows no file at all. Both hold until the process ends, also for root. Elsewhere only the limits of
POSIX are set.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

try:
    import resource
except ImportError:  # Windows
    _HAS_LIMITS = False
else:
    _HAS_LIMITS = True


class Barrier(StrEnum):
    """A part of the kernel that confines a process."""

    SECCOMP = "seccomp"
    """Only the calls that decoding needs, whatever they are about."""
    LANDLOCK = "Landlock"
    """No file and no connection."""


class _Machine(NamedTuple):
    """The numbers of a processor's system calls."""

    audit: int
    """The constant AUDIT_ARCH of the kernel's headers."""
    allowed: tuple[int, ...]
    clone: int
    clone3: int
    kill: int
    tgkill: int
    capset: int


# Memory, threads, clocks, and reading and writing what is open: no call opens anything, names a
# file, starts a program, or reaches another process.
_X86_64: Final = _Machine(
    audit=0xC000003E,
    allowed=(
        *(0, 1, 3, 8, 17, 19, 20, 7),  # read write close lseek pread64 readv writev poll
        *(9, 10, 11, 12, 25, 28),  # mmap mprotect munmap brk mremap madvise
        *(13, 14, 15, 131, 37, 38, 219),  # signals: action, mask, return, stack; alarm setitimer
        *(24, 35, 202, 204, 218, 273, 324, 334),  # sched_yield nanosleep futex affinity, threads
        *(39, 186, 102, 104, 107, 108, 63, 98, 99, 100),  # facts about itself and the system
        *(96, 201, 228, 229, 230, 309, 318),  # clocks, getcpu, getrandom
        *(60, 231),  # exit, exit_group
    ),
    clone=56,
    clone3=435,
    kill=62,
    tgkill=234,
    capset=126,
)
_AARCH64: Final = _Machine(
    audit=0xC00000B7,
    allowed=(
        *(63, 64, 57, 62, 67, 65, 66, 73),
        *(222, 226, 215, 214, 216, 233),
        *(134, 135, 139, 132, 103, 128),
        *(124, 101, 98, 123, 96, 99, 283, 293),
        *(172, 178, 174, 176, 175, 177, 160, 165, 179, 153),
        *(169, 113, 114, 115, 168, 278),
        *(93, 94),
    ),
    clone=220,
    clone3=435,
    kill=129,
    tgkill=131,
    capset=91,
)
_MACHINES: Final = {"x86_64": _X86_64, "aarch64": _AARCH64}

_EPERM, _ENOSYS = 1, 38
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
"""Instructions of the kernel's packet filter."""
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
"""Offsets in the kernel's ``struct seccomp_data``."""
_CLONE_THREAD = 0x10000

_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
"""The same on every processor."""
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many kinds of access to files each version of Landlock knows; 16 from version 5 on."""
_SECCOMP, _SET_FILTER, _ALL_THREADS = {"x86_64": 317, "aarch64": 277}, 1, 1
_NO_NEW_PRIVILEGES = 38
_CAPABILITIES = 0x20080522
_NEW_NETWORK = 0x40000000


def confine_process(memory_bytes: int) -> frozenset[Barrier]:
    """Give up everything but memory, threads and what is open already; return what enforces it.

    ``memory_bytes`` may be added to what the process holds now, on Linux. Call it once everything
    is imported and before there are threads: nothing can be opened afterwards.
    """
    memory_limit = _measure_memory() + memory_bytes  # no file can be read afterwards
    barriers = set()
    with contextlib.suppress(OSError, AttributeError):
        _drop_privileges()
        if _forbid_files():
            barriers.add(Barrier.LANDLOCK)
    _limit_resources(memory_limit if memory_limit > memory_bytes else None)
    with contextlib.suppress(OSError, AttributeError):
        if _forbid_calls():
            barriers.add(Barrier.SECCOMP)
    return frozenset(barriers)


def _measure_memory() -> int:
    """Return how many bytes of addresses this process holds; 0 where that is unknown."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (OSError, ValueError):  # only Linux shows it, and only there the limit works
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _limit_resources(memory_bytes: int | None) -> None:
    """Forbid files, connections and core dumps, and limit the memory."""
    if not _HAS_LIMITS:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the user's faces
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # Last, because it is the limit for everything that would still be opened.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _drop_privileges() -> None:
    """Give up what root may do, for good, and the network."""
    if sys.platform != "linux":
        return
    library = _load_library()
    library.unshare(_NEW_NETWORK)  # an empty network; most users may not do this, and need not
    machine = _MACHINES.get(platform.machine())
    if machine is not None:
        library.syscall(machine.capset, struct.pack("=Ii", _CAPABILITIES, 0), bytes(24))
    # The kernel demands it before it lets anybody but root confine a process.
    _check(library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))


def _forbid_files() -> bool:
    """Allow no file, no folder and no connection by Landlock; return whether it is there."""
    if sys.platform != "linux":
        return False
    call = _load_library().syscall
    version = call(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    # Every kind of access is handled and no rule allows any.
    rights = [(1 << _FILE_RIGHTS.get(version, 16)) - 1]
    rights += [0b11] if version >= 4 else []  # TCP
    rights += [0b11] if version >= 6 else []  # abstract sockets and signals
    ruleset = struct.pack(f"={len(rights)}Q", *rights)
    descriptor = _check(call(_LANDLOCK_CREATE, ruleset, ctypes.c_size_t(len(ruleset)), 0))
    try:
        _check(call(_LANDLOCK_RESTRICT, descriptor, 0))
    finally:
        os.close(descriptor)
    return True


def _forbid_calls() -> bool:
    """Allow only the calls in the lists above; return whether this processor has one."""
    machine = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None or sys.maxsize < 2**32:  # 32-bit Python has other numbers
        return False
    library = _load_library()
    steps = b"".join(struct.pack("=HBBI", *step) for step in _list_steps(machine))
    kept = ctypes.create_string_buffer(steps, len(steps))
    program = struct.pack("@HP", len(steps) // 8, ctypes.addressof(kept))
    number = _SECCOMP[platform.machine()]
    _check(library.syscall(number, _SET_FILTER, _ALL_THREADS, program))
    return True


def _list_steps(machine: _Machine) -> Iterator[tuple[int, int, int, int]]:
    """Yield the filter: instruction, steps to skip if true and if false, value."""
    refuse = (_RETURN, 0, 0, _ERRNO | _EPERM)
    allow = (_RETURN, 0, 0, _ALLOW)
    yield _LOAD, 0, 0, _ARCHITECTURE
    yield _EQUAL, 1, 0, machine.audit
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER
    for number in machine.allowed:
        yield _EQUAL, 0, 1, number
        yield allow
    # glibc then uses clone, whose argument shows that it is a thread and not a process.
    yield _EQUAL, 0, 1, machine.clone3
    yield _RETURN, 0, 0, _ERRNO | _ENOSYS
    for number, instruction, wanted in (
        (machine.clone, _BITS, _CLONE_THREAD),
        (machine.kill, _EQUAL, os.getpid()),  # so that a crash ends the process as always
        (machine.tgkill, _EQUAL, os.getpid()),
    ):
        yield _EQUAL, 0, 4, number
        yield _LOAD, 0, 0, _FIRST_ARGUMENT
        yield instruction, 0, 1, wanted
        yield allow
        yield refuse
    yield refuse


def _load_library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "the kernel refused to confine this process")
    return result
