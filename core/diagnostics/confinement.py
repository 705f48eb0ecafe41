"""Checks whether the system confines the processes that decode photos and films."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ..confinement import Barrier
from .findings import Finding, Status

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = """
from core.confinement import confine_process
print(*sorted(confine_process(2**30)))
"""
_TIMEOUT_S = 60


def check_confinement(program: str = _PROGRAM) -> Finding:
    """Confine a process for a trial, and say what the system does not enforce."""
    command = [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = [{str(_ROOT)!r}]{program}"]
    try:
        trial = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        names = set(trial.stdout.split()) if trial.returncode == 0 else set()
    except (OSError, subprocess.TimeoutExpired):
        names = set()
    if Barrier.SECCOMP in names:
        others = "" if Barrier.LANDLOCK in names else " (this kernel has no Landlock)"
        detail = f"They can open no file, connection or program: {' and '.join(sorted(names))}"
        return Finding("decoders", Status.OK, f"{detail}{others}.")
    if Barrier.LANDLOCK in names:
        detail = "They can open no file; connections and programs are not refused by the system."
    else:
        detail = "A file that takes over its decoder can do what you can: the system confines none."
    return Finding(
        "decoders",
        Status.WARNING,
        detail,
        "Read photos and films of strangers on Linux (x86-64 or ARM64), with seccomp.",
    )
