"""The networks of an answer, loaded for a trial; what they are compiled to is kept for later."""

from __future__ import annotations

import subprocess
import sys

from .findings import Finding, Status

PROGRAM = """
from core import Analyzer, ProjectError
try:
    Analyzer.from_config()
except ProjectError as error:
    raise SystemExit(error.message)
"""

_TIMEOUT_S = 180
"""Torch is imported, and every network traced and compiled, the first time."""


def prepare_networks(program: str = PROGRAM) -> Finding:
    """Load what the usual answer needs, so that the first one does not wait for it.

    In a process of its own, which may crash. A warning at most: what fails here is told again,
    with what to do about it, where it is needed.
    """
    try:
        trial = subprocess.run(
            [sys.executable, "-P", "-c", program],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _not_ready(f"not loaded within {_TIMEOUT_S} seconds")
    if trial.returncode == 0:
        return Finding("networks", Status.OK, "Loaded, and ready for the first photo.")
    lines = trial.stderr.strip().splitlines()
    return _not_ready(lines[-1].strip() if lines else f"ended with status {trial.returncode}")


def _not_ready(why: str) -> Finding:
    return Finding("networks", Status.WARNING, f"They cannot be loaded: {why}")
