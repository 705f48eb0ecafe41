"""The networks of an answer, loaded for a trial; what they are compiled to is kept for later."""

from __future__ import annotations

from .findings import Finding, Status
from .trials import run_trials

PROGRAM = """
from core import Analyzer, ProjectError
try:
    Analyzer.from_config()
except ProjectError as error:
    raise SystemExit(error.message)
"""


def prepare_networks(program: str = PROGRAM) -> Finding:
    """Load what the usual answer needs, so that the first one does not wait for it.

    In a process of its own, which may crash. A warning at most: what fails here is reported again,
    with what to do about it, where it is needed.
    """
    error = run_trials({"networks": program}).get("networks")
    if error is None:
        return Finding("networks", Status.OK, "Loaded, and ready for the first photo.")
    return Finding("networks", Status.WARNING, f"They cannot be loaded: {error}")
