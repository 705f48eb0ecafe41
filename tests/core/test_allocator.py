"""Servers share the C library's heaps, and programs can keep or release freed memory."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

COUNT_HEAPS = """
import ctypes, re, sys, threading
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
if sys.argv[1] == "share":
    from core import share_heaps
    share_heaps()
meet = threading.Barrier(9)

def work():
    held = [bytearray(5000) for _ in range(100)]
    meet.wait()
    del held

threads = [threading.Thread(target=work) for _ in range(8)]
for each in threads:
    each.start()
meet.wait()
for each in threads:
    each.join()
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(len(re.findall("<heap nr=", open(sys.argv[2]).read())))
"""


GLIBC = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_info"), reason="not glibc"
)


def run_code(root, code, *arguments, **variables):
    """Return the numbers that ``code`` prints; ``variables`` alone set the allocator's options."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("MALLOC_")}
    shown = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=root,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(number) for number in shown.stdout.split()]


def count_heaps(root, tmp_path, how, **variables):
    (count,) = run_code(root, COUNT_HEAPS, how, str(tmp_path / "heaps.xml"), **variables)
    return count


@GLIBC
def test_threads_share_two_heaps_unless_the_environment_says_otherwise(root, tmp_path):
    assert count_heaps(root, tmp_path, "leave") > 2
    assert count_heaps(root, tmp_path, "share") <= 2
    assert count_heaps(root, tmp_path, "share", MALLOC_ARENA_MAX="4") > 2


COUNT_FAULTS = """
import resource, sys
from core import allocator
if sys.argv[1] == "keep_freed_memory":
    assert allocator.keep_freed_memory()
if sys.argv[1] == "keep_blocks":
    allocator.keep_blocks()
for round in range(12):
    if round == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [bytearray(9_000_000) for _ in range(4)]
    del held
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def count_faults(root, how, **variables):
    (count,) = run_code(root, COUNT_FAULTS, how, **variables)
    return count


@GLIBC
def test_freed_blocks_are_used_again_unless_the_environment_says_otherwise(root):
    assert count_faults(root, "leave") > 10_000
    assert count_faults(root, "keep_blocks") < 1_000
    assert count_faults(root, "keep_freed_memory") < 1_000
    assert count_faults(root, "keep_blocks", MALLOC_TRIM_THRESHOLD_="131072") > 1_000


COUNT_KEPT = """
import sys
from core import keep_blocks, release_freed
keep_blocks()

def held():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024

before = held()
blocks = [bytearray(20_000_000) for _ in range(3)]
del blocks
after = held()
release_freed()
print(after - before, held() - before)
"""


@GLIBC
def test_release_freed_returns_the_kept_memory(root):
    kept, left = run_code(root, COUNT_KEPT)
    assert kept > 40
    assert left < 10
