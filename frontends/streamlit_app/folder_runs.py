"""The run of `emotion batch` behind the page Folder: one at a time, seen by every tab."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from core import AnalyzerConfig, BatchSummary
from frontends.streamlit_app import run_record
from frontends.streamlit_app.run_record import RunPlan

ROOT = Path(__file__).parents[2]
_FIRST_ESTIMATE_S = 3.0
"""From then on the time left is said."""
_END_S = 20.0
"""For a run to end when it is asked to; then it is killed, and can be continued as well."""


class RunState(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    STOPPED = "stopped"
    """Its results so far are kept, and it can be continued."""
    FAILED = "failed"
    DONE = "done"


@dataclass(slots=True)
class FolderRun:
    """A run as the page shows it; a thread of its own fills it in."""

    plan: RunPlan
    state: RunState = RunState.RUNNING
    done: int = 0
    """Files with a result, including those of earlier parts of the run."""
    total: int = 0
    """Files found; 0 until they are counted."""
    summary: BatchSummary | None = None
    problem: tuple[str, str] = ("", "")
    """Why it failed, and what to do."""
    cancelled: bool = False
    first: tuple[float, int] | None = field(default=None, repr=False)
    """When this part of the run had its first progress, and how many files were done then."""

    @property
    def left_s(self) -> float | None:
        """About how many seconds it still takes; None if that is not known yet."""
        if self.first is None:
            return None
        began_s, before = self.first
        past_s, read = time.monotonic() - began_s, self.done - before
        return (
            past_s * (self.total - self.done) / read
            if read and past_s > _FIRST_ESTIMATE_S
            else None
        )

    def take_line(self, line: str) -> None:
        """Take a line that `emotion batch --json-progress` printed."""
        record: dict[str, Any] = json.loads(line)
        if "summary" in record:
            self.summary = BatchSummary(**record["summary"])
        elif "error" in record:
            self.problem = record["error"], record["hint"] or ""
        else:
            self.done, self.total = record["done"], record["total"]
            self.first = self.first or (time.monotonic(), self.done)


def make_batch_command(plan: RunPlan, *, fresh: bool = False) -> list[str]:
    """Return the command that reads the folder; the same command continues it."""
    command = [sys.executable, "-m", "cli", "batch", str(plan.photos), "--out", str(plan.table)]
    command += ["--report", str(plan.report), "--json-progress", *plan.options]
    return [*command, "--fresh"] if fresh else command


def list_options(
    config: AnalyzerConfig, *, thumbnails: bool, copies: Path | None = None
) -> tuple[str, ...]:
    """Return the options of `emotion batch` for ``config`` and what to write beside the table."""
    options: dict[str, object] = {
        "--model": config.model,
        "--detector": config.detector,
        "--reading": config.reading,
        "--preset": config.preset,
        "--operating-point": config.operating_point,
        "--detection-threshold": config.detection_threshold,
        "--certain-from": config.certain_from,
        "--annotate": copies,
    }
    given = [(name, str(value)) for name, value in options.items() if value is not None]
    return (*(part for pair in given for part in pair), *(["--thumbnails"] if thumbnails else []))


class FolderRuns:
    """The current run of this server, also one that an earlier server left unfinished."""

    def __init__(self, make_command: Callable[..., Iterable[str]] = make_batch_command) -> None:
        self._make_command = make_command
        self._lock = Lock()
        self._run: FolderRun | None = None
        self._process: subprocess.Popen[str] | None = None
        self._looked_back = False

    def find(self) -> FolderRun | None:
        """Return the current run; the first time, the one that an earlier server did not finish."""
        with self._lock:
            if not self._looked_back:
                self._looked_back = True
                plan = run_record.read()
                if plan is not None and self._run is None:
                    self._run = FolderRun(plan, RunState.STOPPED, run_record.count_results(plan))
            return self._run

    def start(self, plan: RunPlan, *, fresh: bool = False) -> None:
        """Start the run, or continue it; nothing happens while one is running."""
        with self._lock:
            if self._run is not None and self._run.state is RunState.RUNNING:
                return
            self._run, self._looked_back = FolderRun(plan), True
            run_record.write(plan)
            # Its own session: Ctrl-C in the terminal reaches the server, which then ends the run.
            # What it says besides is for the person in front of that terminal.
            self._process = subprocess.Popen(
                [*self._make_command(plan, fresh=fresh)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            Thread(
                target=_follow, args=(self._run, self._process), daemon=True, name="folder-run"
            ).start()

    def cancel(self) -> None:
        """Ask the run to stop; it keeps what it has, and can be continued."""
        with self._lock:
            if self._run is not None and self._process is not None:
                self._run.cancelled = True
                self._process.terminate()

    def stop(self) -> None:
        """Stop the run and wait for its end: the server ends."""
        self.cancel()
        if self._process is not None:
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def dismiss(self) -> None:
        """Forget a run that is over; its files stay."""
        with self._lock:
            if self._run is not None and self._run.state is not RunState.RUNNING:
                self._run = None
                run_record.remove()


def _follow(run: FolderRun, process: subprocess.Popen[str]) -> None:
    """Take what the process prints until it ends."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with process.stdout as lines:
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):  # a library's own words
                run.take_line(line)
    process.wait()
    if run.summary is not None:
        run.state = RunState.DONE
        run_record.remove()
    elif run.cancelled:
        run.state = RunState.STOPPED
    else:
        if not run.problem[0]:
            run.problem = "The run ended unexpectedly.", "Its results so far are kept."
        run.state = RunState.FAILED


FOLDER_RUNS = FolderRuns()
