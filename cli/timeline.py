"""Emotions over time in a video: as CSV rows, as a table and as a plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.tables import make_table, print_tables
from core import EMOTIONS, Emotion, Reading, report_disk_errors

if TYPE_CHECKING:
    from core import Frame, ImageAnalysis

    Output = Callable[[Frame, ImageAnalysis], None]
    """Takes each frame with its faces."""

_MAX_PLOTTED = 6
"""Faces in a plot: those seen longest."""


@dataclass(slots=True)
class _FaceHistory:
    """One face over time; the lists have an entry for each frame with the face."""

    times: list[float] = field(default_factory=list)
    probabilities: list[tuple[float, ...]] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Timeline:
    """The emotions of every face over time: 100 bytes for each face and frame, and no images."""

    reading: Reading
    """What the answers are about."""
    _faces: dict[int, _FaceHistory] = field(default_factory=dict)

    def add(self, frame: Frame, analysis: ImageAnalysis) -> None:
        """Add the emotions of one frame."""
        for face in analysis.faces:
            history = self._faces.setdefault(face.index, _FaceHistory())
            history.times.append(frame.time_s)
            history.probabilities.append(face.emotions.probabilities)
            history.verdicts[face.emotions.top if face.emotions.certain else "not sure"] += 1

    def plot(self, path: Path) -> None:
        """Plot each emotion's share over time, one panel for each of the faces seen longest."""
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt

        unit = "of 100 people" if self.reading is Reading.PEOPLE else "probability, %"
        longest = sorted(self._faces.items(), key=lambda item: -len(item[1].times))
        plotted = sorted(longest[:_MAX_PLOTTED]) or [(0, _FaceHistory())]
        figure, panels = plt.subplots(
            len(plotted), 1, figsize=(10, 1 + 2.2 * len(plotted)), sharex=True, squeeze=False
        )
        for panel, (number, face) in zip(panels[:, 0], plotted, strict=True):
            for index, emotion in enumerate(EMOTIONS):
                colour = [channel / 255 for channel in Emotion(emotion).colour]
                values = [100 * row[index] for row in face.probabilities]
                panel.plot(face.times, values, color=colour, label=str(emotion), linewidth=1.8)
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
        panels[-1, 0].set_xlabel("seconds")
        with report_disk_errors(path):
            figure.savefig(path, dpi=120, bbox_inches="tight")
        plt.close(figure)

    def print_table(self) -> None:
        """Print when each face was seen, and what the answers for it were."""
        table = make_table("Face", "Seen", "Frames", "Answers", left=("Seen", "Answers"))
        for number, face in sorted(self._faces.items()):
            total = len(face.times)
            answers = (
                f"{word} in {100 * n / total:.0f} %" for word, n in face.verdicts.most_common(3)
            )
            seen = f"{face.times[0]:.1f} to {face.times[-1]:.1f} s"
            table.add_row(str(number), seen, str(total), ", ".join(answers))
        if not self._faces:
            table.add_row("-", "", "", "no face found")
        print_tables(table)
        if self._faces:
            about = (
                "what most people would see"
                if self.reading is Reading.PEOPLE
                else "the most likely label of FER-2013"
            )
            typer.echo(f"\nAnswers: {about}, and in how many of the frames.")


@contextmanager
def open_csv(path: Path) -> Iterator[Output]:
    """Yield a function that writes a row for each face; ConfigError if it cannot be written."""
    from core import format_csv_heading, format_csv_rows  # bring NumPy; `emotion --help` needs none

    with report_disk_errors(path), path.open("w", encoding="utf-8", newline="") as file:
        file.write(format_csv_heading())

        def write(frame: Frame, analysis: ImageAnalysis) -> None:
            if analysis.faces:
                file.write(format_csv_rows(analysis, time_s=frame.time_s))

        yield write
