"""The plot of a film's emotions over time, the same from the command line and the pages."""

from __future__ import annotations

from pathlib import Path

from ..files import atomic_file, report_disk_errors
from ..labels import EMOTIONS, Reading
from ..outputs import contains
from .summary import FaceSummary, FilmSummary

PLOT_ENDINGS = (".png", ".svg", ".pdf")
_MOST_PLOTTED = 6
"""Faces in a plot: those seen longest."""
_PLOT_MARK = "emotion live"


def is_film_plot(path: Path) -> bool:
    """Return whether :func:`plot_film` wrote a file; False if it cannot be read."""
    return contains(_PLOT_MARK.encode())(path)


def plot_film(summary: FilmSummary, path: Path) -> str:
    """Plot each emotion's share over time, one panel for each of the faces seen longest.

    Return a sentence if those are not all, which the plot says too, else an empty text. ConfigError
    if the file cannot be written.
    """
    # Not pyplot, which is for one thread; and here, because it takes long to import.
    from matplotlib.figure import Figure

    unit = "of 100 people" if summary.reading is Reading.PEOPLE else "probability, %"
    longest = summary.list_longest(_MOST_PLOTTED)
    plotted = sorted(longest, key=lambda face: face.number) or [FaceSummary(0, 0.0, 0.0)]
    figure = Figure(figsize=(10, 1 + 2.2 * len(plotted)))
    panels = figure.subplots(len(plotted), 1, sharex=True, squeeze=False)
    for panel, face in zip(panels[:, 0], plotted, strict=True):
        shares = 100 * face.curves
        # A face seen in a single frame would be a line without length.
        marker = "o" if len(face.times) == 1 else ""
        for index, emotion in enumerate(EMOTIONS):
            colour = [channel / 255 for channel in emotion.colour]
            line = {"color": colour, "label": str(emotion), "linewidth": 1.8}
            panel.plot(face.times, shares[:, index], marker=marker, **line)
        panel.set_ylim(0, 100)
        panel.set_ylabel(unit)
        panel.set_title(f"Face {face.number}" if face.number else "No face was seen", loc="left")
        panel.grid(alpha=0.3)
    panels[0, 0].legend(
        ncols=len(EMOTIONS),
        loc="lower right",
        bbox_to_anchor=(1, 1.0),
        frameon=False,
        fontsize="small",
        columnspacing=1.0,
    )
    rest = ""
    if len(summary.faces) > len(plotted):
        rest = f"{len(plotted)} of {len(summary.faces)} faces drawn: those seen longest"
    panels[-1, 0].set_xlabel(f"seconds    ({rest})" if rest else "seconds")
    about = "Software" if path.suffix.lower() == ".png" else "Creator"
    with report_disk_errors(path), atomic_file(path) as file:
        form = path.suffix.removeprefix(".").lower()
        metadata = {about: _PLOT_MARK}
        figure.savefig(file, format=form, dpi=120, bbox_inches="tight", metadata=metadata)
    return f"{rest}." if rest else ""
