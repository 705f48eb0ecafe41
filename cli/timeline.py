"""Emotions over time in a video: as CSV rows, as a table and as a plot."""

from __future__ import annotations

import io
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.tables import make_table, print_tables
from core import EMOTIONS, Emotion, Reading, atomic_file, contains, report_disk_errors

if TYPE_CHECKING:
    from core import Frame, ImageAnalysis

    TakeFrame = Callable[[Frame, ImageAnalysis], None]
    """Takes each frame with its faces."""

PLOT_ENDINGS = (".png", ".svg", ".pdf")
_MAX_PLOTTED = 6
"""Faces in a plot: those seen longest."""
_MAX_LISTED = 40
"""Faces in the table: those seen longest. A film of two hours can have thousands."""
_MAX_POINTS = 2000
"""Of one face in a plot; twice as many as it is wide. Of more, neighbours are averaged."""
_PLOT_MARK = "emotion live"
is_our_plot = contains(_PLOT_MARK.encode())


@dataclass(slots=True)
class _FaceHistory:
    """One face over time; its memory does not grow with the film."""

    first_s: float
    last_s: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)
    times: array[float] = field(default_factory=lambda: array("d"))
    probabilities: array[float] = field(default_factory=lambda: array("f"))
    """One for each emotion and each of ``times``."""
    _every: int = 1
    """How many frames each point stands for."""
    _waiting: int = 0

    @property
    def frames(self) -> int:
        return self.verdicts.total()

    def add(self, time_s: float, probabilities: tuple[float, ...], verdict: str) -> None:
        self.last_s = time_s
        self.verdicts[verdict] += 1
        self._waiting += 1
        if self._waiting < self._every:
            return
        self._waiting = 0
        self.times.append(time_s)
        self.probabilities.extend(probabilities)
        if len(self.times) == _MAX_POINTS:
            self._halve()

    def _halve(self) -> None:
        import numpy as np

        times = np.asarray(self.times).reshape(-1, 2).mean(axis=1)
        rows = np.asarray(self.probabilities).reshape(-1, 2, len(EMOTIONS)).mean(axis=1)
        self.times, self.probabilities = array("d", times), array("f", rows.ravel())
        self._every *= 2


@dataclass(slots=True)
class Timeline:
    """The emotions of every face over time; no images."""

    reading: Reading
    """What the answers are about."""
    _faces: dict[int, _FaceHistory] = field(default_factory=dict)

    def add(self, frame: Frame, analysis: ImageAnalysis) -> None:
        """Add the emotions of one frame."""
        for face in analysis.faces:
            history = self._faces.setdefault(face.index, _FaceHistory(frame.time_s))
            verdict = str(face.emotions.top) if face.emotions.certain else "not sure"
            history.add(frame.time_s, face.emotions.probabilities, verdict)

    def plot(self, path: Path) -> None:
        """Plot each emotion's share over time, one panel for each of the faces seen longest.

        If those are not all, the plot and standard error say how many are drawn.
        """
        import matplotlib as mpl

        mpl.use("Agg")
        import numpy as np
        from matplotlib import pyplot as plt

        unit = "of 100 people" if self.reading is Reading.PEOPLE else "probability, %"
        plotted = sorted(self._list_longest(_MAX_PLOTTED)) or [(0, _FaceHistory(0.0))]
        figure, panels = plt.subplots(
            len(plotted), 1, figsize=(10, 1 + 2.2 * len(plotted)), sharex=True, squeeze=False
        )
        for panel, (number, face) in zip(panels[:, 0], plotted, strict=True):
            shares = 100 * np.asarray(face.probabilities).reshape(-1, len(EMOTIONS))
            # A face seen in a single frame would be a line without length.
            marker = "o" if len(face.times) == 1 else ""
            for index, emotion in enumerate(EMOTIONS):
                colour = [channel / 255 for channel in Emotion(emotion).colour]
                line = {"color": colour, "label": str(emotion), "linewidth": 1.8}
                panel.plot(face.times, shares[:, index], marker=marker, **line)
            panel.set_ylim(0, 100)
            panel.set_ylabel(unit)
            panel.set_title(f"Face {number}" if number else "No face was seen", loc="left")
            panel.grid(alpha=0.3)
        panels[0, 0].legend(
            ncols=len(EMOTIONS),
            loc="lower right",
            bbox_to_anchor=(1, 1.0),
            frameon=False,
            fontsize="small",
            columnspacing=1.0,
        )
        label = "seconds"
        if len(self._faces) > len(plotted):
            rest = f"{len(plotted)} of {len(self._faces)} faces drawn: those seen longest"
            typer.echo(f"{rest[0].upper()}{rest[1:]}.", err=True)
            label = f"{label}    ({rest})"
        panels[-1, 0].set_xlabel(label)
        about = "Software" if path.suffix.lower() == ".png" else "Creator"
        with report_disk_errors(path), atomic_file(path) as file:
            form = path.suffix.removeprefix(".").lower()
            metadata = {about: _PLOT_MARK}
            figure.savefig(file, format=form, dpi=120, bbox_inches="tight", metadata=metadata)
        plt.close(figure)

    def print_table(self) -> None:
        """Print when each face was seen, and what the answers for it were."""
        table = make_table("Face", "Seen", "Frames", "Answers", left=("Seen", "Answers"))
        for number, face in sorted(self._list_longest(_MAX_LISTED)):
            answers = (
                f"{word} in {100 * n / face.frames:.0f} %"
                for word, n in face.verdicts.most_common(3)
            )
            seen = f"{face.first_s:.1f} to {face.last_s:.1f} s"
            table.add_row(str(number), seen, str(face.frames), ", ".join(answers))
        if not self._faces:
            table.add_row("-", "", "", "no face found")
        print_tables(table)
        more = len(self._faces) - _MAX_LISTED
        if more > 0:
            typer.echo(f"and {more} more faces, seen in fewer frames")
        if self._faces:
            about = (
                "what most people would see"
                if self.reading is Reading.PEOPLE
                else "the most likely label of FER-2013"
            )
            typer.echo(f"\nAnswers: {about}, and in how many of the frames.")

    def _list_longest(self, most: int) -> list[tuple[int, _FaceHistory]]:
        """Return the faces seen in the most frames, with their numbers."""
        return sorted(self._faces.items(), key=lambda item: -item[1].frames)[:most]


@contextmanager
def open_csv(path: Path) -> Iterator[TakeFrame]:
    """Yield a function that writes a row for each face; ConfigError if it cannot be written.

    The file gets its name when it is complete, and is not written if the block raises.
    """
    from core import format_csv_heading, format_csv_rows  # bring NumPy; `emotion --help` needs none

    with report_disk_errors(path), atomic_file(path) as raw:
        file = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        file.write(format_csv_heading())

        def write(frame: Frame, analysis: ImageAnalysis) -> None:
            if analysis.faces:
                file.write(format_csv_rows(analysis, time_s=frame.time_s))

        yield write
        file.flush()
        file.detach()
