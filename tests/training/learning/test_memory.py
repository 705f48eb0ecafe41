"""Freed memory is kept."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROBE = """
import resource, sys
import numpy as np
from training.learning.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def step():
    for _ in range(4):
        np.full(5_000_000, 1.0)
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_pages_are_not_fetched_anew_for_every_allocation(root):
    def faults(how):
        command = [sys.executable, "-c", PROBE, how]
        done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
        return int(done.stdout)

    assert faults("keep") < faults("leave") / 10
