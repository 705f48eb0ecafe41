"""The report's figures as SVG, readable in print and in grey."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from core.labels import EMOTIONS

from .plots import (
    COLOURS,
    GREY,
    GRID,
    MARKS,
    STYLES,
    Point,
    ReliabilityPlot,
    draw_confusion,
    draw_reliability,
    make_axes,
)

PRINT_STYLE: dict[Any, Any] = {
    # Letters stay letters: they can be searched, and the files are small.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    # The same figures give the same file.
    "svg.hashsalt": "photo-emotion",
}


_RIGHT = (
    ("agrees with most people", "people", "agreement"),
    ("FER-2013's label", "", "accuracy"),
    ("the label, without near-copies", "deduplicated", "accuracy"),
)
"""Name of what counts as right, part of the metrics, and figure in it."""


def plot_accuracy(models: Mapping[str, Mapping[str, Any]]) -> str:
    """Plot how often each model agrees with most people and with the label, with intervals."""
    figure, axes = make_axes(6.4, 0.7 + 0.7 * len(models))
    for row, metrics in enumerate(models.values()):
        for index, (label, part_name, figure_name) in enumerate(_RIGHT):
            part = metrics.get(part_name) or {} if part_name else metrics
            if figure_name not in part:
                continue
            low, high = part[f"{figure_name}_interval"]
            middle = part[figure_name]
            axes.errorbar(
                100 * middle,
                row + 0.22 * (index - 1),
                xerr=[[100 * (middle - low)], [100 * (high - middle)]],
                color=COLOURS[index],
                marker=MARKS[index],
                capsize=3,
                label=label if row == 0 else None,
            )
    axes.set_yticks(range(len(models)), list(models))
    axes.invert_yaxis()
    axes.set_xlabel("faces, % (bars: 95 % intervals)")
    axes.grid(axis="x", **GRID)
    axes.legend(frameon=False, fontsize=8, loc="best")
    return _encode_svg(figure)


def plot_recalls(models: Mapping[str, Mapping[str, Any]]) -> str:
    """Plot the recall of each emotion, by model."""
    figure, axes = make_axes(6.4, 3.2)
    names = [str(emotion) for emotion in EMOTIONS]
    for index, (model, metrics) in enumerate(models.items()):
        axes.plot(
            np.arange(len(names)) + 0.12 * (index - (len(models) - 1) / 2),
            [100 * metrics["per_class"][name]["recall"] for name in names],
            linestyle="none",
            marker=MARKS[index % len(MARKS)],
            color=COLOURS[index % len(COLOURS)],
            label=model,
        )
    axes.set_xticks(range(len(names)), names)
    axes.set(ylim=(0, 100), ylabel="recall, %")
    axes.grid(axis="y", **GRID)
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower center")
    return _encode_svg(figure)


def plot_confusion(matrix: Sequence[Sequence[int]]) -> str:
    """Plot the answers to each emotion in percent of its faces."""
    figure, axes = make_axes(5.2, 4.4)
    draw_confusion(axes, matrix, counts=False, ink=("black", "white"), cmap="Blues", aspect="auto")
    return _encode_svg(figure)


def plot_reliability(models: Mapping[str, Mapping[str, Any]], plot: ReliabilityPlot) -> str:
    """Plot the reliability of each model in one reading."""
    rows = math.ceil(len(models) / 2)
    figure = Figure(figsize=(6.4, 3.3 * rows), layout="constrained")
    grid = figure.subplots(rows, min(2, len(models)), squeeze=False)
    for axes in grid.flat[len(models) :]:
        axes.remove()
    for axes, (name, metrics) in zip(grid.flat, models.items(), strict=False):
        draw_reliability(axes, metrics, plot, markersize=4)
        axes.set(xlim=(0.2, 1), ylim=(0.2, 1), title=name, aspect="equal")
    if len(plot.curves) > 1:
        grid[0, 0].legend(frameon=False, fontsize=8)
    return _encode_svg(figure)


def plot_grid(
    rows: Mapping[str, Mapping[str, Sequence[Point]]], *, across: str, upwards: str
) -> str:
    """Plot a row for each name, with a panel for each curve and a band for its interval.

    A dotted line runs through the first point of a curve, to which the others are compared. A
    panel holds one curve, because several bands hide one another in print.
    """
    columns = list(next(iter(rows.values())))
    figure = Figure(figsize=(6.8, 1.1 * len(rows) + 0.7), layout="constrained")
    grid = figure.subplots(len(rows), len(columns), squeeze=False, sharex="row", sharey=True)
    for row, (name, curves) in zip(grid, rows.items(), strict=True):
        row[0].set_ylabel(name)
        for axes, column in zip(row, columns, strict=True):
            places, values, low, high = zip(*sorted(curves[column]), strict=True)
            axes.axhline(curves[column][0][1], color=GREY, linestyle=":", linewidth=1)
            axes.fill_between(places, low, high, color=COLOURS[0], alpha=0.25, linewidth=0)
            axes.plot(places, values, color=COLOURS[0], marker=MARKS[0], markersize=2.5)
            axes.grid(**GRID)
    for axes, column in zip(grid[0], columns, strict=True):
        axes.set_title(column, fontsize=9)
    figure.supxlabel(across, fontsize=9)
    figure.supylabel(upwards, fontsize=9)
    return _encode_svg(figure)


def plot_lines(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    across: str,
    upwards: str,
    level: tuple[float, str] | None = None,
    marks: bool = True,
) -> str:
    """Plot a line for each of the named ``curves``, and a named ``level`` to compare them with."""
    figure, axes = make_axes(6.4, 3.5)
    for index, (name, line) in enumerate(curves.items()):
        axes.plot(
            *line,
            color=COLOURS[index % len(COLOURS)],
            linestyle=STYLES[index % len(STYLES)],
            marker=MARKS[index % len(MARKS)] if marks else None,
            markersize=4,
            label=name,
        )
    if level is not None:
        axes.axhline(level[0], color=GREY, linestyle=":", label=level[1])
    axes.set(xlabel=across, ylabel=upwards)
    axes.grid(**GRID)
    axes.legend(frameon=False, fontsize=8)
    return _encode_svg(figure)


def _encode_svg(figure: Figure) -> str:
    buffer = BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue().decode()
