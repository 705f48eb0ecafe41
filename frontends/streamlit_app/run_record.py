"""The unfinished run of the page Folder, kept on this computer until it is finished or dismissed.

Without it a new server could not offer to continue the run.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core import atomic_file

FOLDER_VARIABLE = "PHOTO_EMOTION_STATE"
"""Environment variable that names another folder; empty means that nothing is kept."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run reads, and where it writes."""

    photos: Path
    results: Path
    """The folder for everything that it writes."""
    options: tuple[str, ...] = ()
    """More options of `emotion batch`."""

    @property
    def table(self) -> Path:
        return self.results / "emotions.csv"

    @property
    def report(self) -> Path:
        return self.results / "emotions.html"

    @property
    def journal(self) -> Path:
        return self.results / "emotions.csv.journal"

    @property
    def copies(self) -> Path:
        """Where annotated copies go, if they were wanted."""
        return self.results / "annotated"


def write(plan: RunPlan) -> None:
    """Keep ``plan`` for the next server, for this user's eyes only; a full disk is no failure."""
    file = _find_file()
    if file is None:
        return
    record = {"photos": str(plan.photos), "results": str(plan.results), "options": plan.options}
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with atomic_file(file) as out:
            os.chmod(out.fileno(), 0o600)  # noqa: PTH101 - the open file
            out.write(json.dumps(record).encode())


def read() -> RunPlan | None:
    """Return the plan of an unfinished run; None if there is none whose folders still exist."""
    file = _find_file()
    if file is None:
        return None
    try:
        record = json.loads(file.read_bytes())
        plan = RunPlan(
            Path(record["photos"]), Path(record["results"]), tuple(map(str, record["options"]))
        )
        return plan if plan.photos.is_dir() and plan.results.is_dir() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def count_results(plan: RunPlan) -> int:
    """Return how many files an unfinished run has a result of: a line each, below a heading."""
    try:
        with plan.journal.open("rb") as file:
            return max(0, sum(1 for _ in file) - 1)
    except OSError:
        return 0


def remove() -> None:
    """Forget the unfinished run."""
    file = _find_file()
    if file is not None:
        with suppress(OSError):
            file.unlink(missing_ok=True)


def _find_file() -> Path | None:
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is not None:
        return Path(folder, "folder-run.json") if folder else None
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Application Support"
        else:
            base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    except RuntimeError:  # a user without a home
        return None
    return base / "photo-emotion" / "folder-run.json"
