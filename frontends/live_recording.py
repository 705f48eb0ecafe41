"""The answers of a camera session, kept only if its visitor asks for it: no picture is."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from core import FilmSummary, Frame, ImageAnalysis, Reading

from .films import PLOT, TABLE
from .private_folders import delete_folder, make_private_folder

MAX_ROWS = 150_000
"""In the table: about 50 MB, or 80 minutes of one face at 30 answers a second."""


class LiveRecording:
    """Table, timeline and plot of one session. They end when nothing refers to it any more."""

    name = "live"

    def __init__(self, reading: Reading) -> None:
        from core import open_film_table

        self._folder = make_private_folder()
        self._end = weakref.finalize(self, delete_folder, self._folder)
        self._stack = ExitStack()
        self._write = self._stack.enter_context(open_film_table(self._folder / TABLE))
        self._rows = 0
        self._began_s: float | None = None
        self.summary = FilmSummary(reading)
        self.size_wh = (0, 0)
        self.is_finished = False
        self.notes: tuple[str, ...] = ()
        """What is missing, in sentences; once it is finished."""

    def add(self, frames: Iterable[Frame], answers: Iterable[ImageAnalysis]) -> None:
        """Add the answers to further frames; those beyond the limit are left out."""
        for frame, answer in zip(frames, answers, strict=True):
            if self._rows >= MAX_ROWS:
                return
            if self._began_s is None:
                self._began_s, self.size_wh = frame.time_s, (frame.image.width, frame.image.height)
            timed = replace(frame, time_s=frame.time_s - self._began_s)
            self.summary.add(timed, answer)
            self._write(timed, answer)
            self._rows += len(answer.faces)

    def finish(self) -> None:
        """Complete the files; ConfigError if the disk is full."""
        from core import plot_film

        if self.is_finished:
            return
        self.is_finished = True
        self._stack.close()
        self.summary.finish()
        rest = plot_film(self.summary, self._folder / PLOT)
        notes = [f"In the plot: {rest}"] if rest else []
        if self._rows >= MAX_ROWS:
            notes.append(f"Only the first {MAX_ROWS:,} answers were kept.")
        self.notes = tuple(notes)

    def find_file(self, name: str) -> Path | None:
        """Return the table or the plot, once the session is finished."""
        file = self._folder / name
        return file if self.is_finished and name in {TABLE, PLOT} and file.is_file() else None
