"""Emotions over time: rows, a table of each face and a plot."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core import EMOTIONS, ConfigError, Emotion

if TYPE_CHECKING:
    from core import ImageAnalysis

COLUMNS = (
    *("time_s", "face", "x1", "y1", "x2", "y2", "score", "emotion", "certain"),
    *EMOTIONS,
    *("agreement", "per_model"),
)
"""Of the table with a row for each face of a frame."""
_MOST_DRAWN = 6
"""Faces in a plot, those seen longest."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The answer to one frame."""

    time_s: float
    answer: ImageAnalysis


@dataclass(slots=True)
class _FaceInTime:
    times: list[float] = field(default_factory=list)
    probabilities: list[tuple[float, ...]] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Timeline:
    """What every face showed and when; 100 bytes a face and frame, no picture."""

    _faces: dict[int, _FaceInTime] = field(default_factory=dict)

    def add(self, moment: Moment) -> None:
        """Remember the emotions of one frame."""
        for face in moment.answer.faces:
            known = self._faces.setdefault(face.index, _FaceInTime())
            known.times.append(moment.time_s)
            known.probabilities.append(face.emotions.probabilities)
            known.verdicts[face.emotions.top if face.emotions.certain else "not sure"] += 1

    @contextmanager
    def rows(self, path: Path) -> Iterator[Callable[[Moment], None]]:
        """A function that writes a row for each face of a frame; ConfigError where none can be."""
        from core import opinions  # brings NumPy, which `emotion --help` does without

        with _writing(path), path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)

            def write(moment: Moment) -> None:
                for face in moment.answer.faces:
                    box, said = face.face.box, face.emotions
                    edges = (f"{edge:.1f}" for edge in (box.x1, box.y1, box.x2, box.y2))
                    writer.writerow(
                        [
                            f"{moment.time_s:.3f}",
                            face.index,
                            *edges,
                            f"{face.face.score:.4f}",
                            str(said.top),
                            str(said.certain).lower(),
                            *(f"{each:.4f}" for each in said.probabilities),
                            str(face.agreement or ""),
                            opinions(face) or "",
                        ]
                    )

            yield write

    def draw(self, path: Path) -> None:
        """The probabilities over time, one panel for each of the faces seen longest."""
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt

        longest = sorted(self._faces.items(), key=lambda item: -len(item[1].times))
        shown = sorted(longest[:_MOST_DRAWN]) or [(0, _FaceInTime())]
        figure, panels = plt.subplots(
            len(shown), 1, figsize=(10, 1 + 2.2 * len(shown)), sharex=True, squeeze=False
        )
        for panel, (number, face) in zip(panels[:, 0], shown, strict=True):
            for place, emotion in enumerate(EMOTIONS):
                colour = [channel / 255 for channel in Emotion(emotion).colour]
                values = [100 * row[place] for row in face.probabilities]
                panel.plot(face.times, values, color=colour, label=str(emotion), linewidth=1.8)
            panel.set_ylim(0, 100)
            panel.set_ylabel("probability, %")
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
        with _writing(path):
            figure.savefig(path, dpi=120, bbox_inches="tight")
        plt.close(figure)

    def show(self) -> None:
        """A table on standard output: when each face was seen, and how often it showed what."""
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("Face", "Seen", "Frames", "Shows"):
            table.add_column(heading, justify="right" if heading == "Frames" else "left")
        for number, face in sorted(self._faces.items()):
            total = len(face.times)
            said = ", ".join(f"{word} {n / total:.0%}" for word, n in face.verdicts.most_common(3))
            seen = f"{face.times[0]:.1f} to {face.times[-1]:.1f} s"
            table.add_row(str(number), seen, str(total), said)
        if not self._faces:
            table.add_row("-", "", "", "no face found")
        Console().print(table)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.",
            hint="Name a file in a folder that you may write to, on a disk with room.",
        ) from error
