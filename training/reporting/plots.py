"""Evaluation plots as PNG, and what they share with the report's charts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from core.labels import EMOTIONS

# Okabe and Ito 2008, for colour-blind people; marks and line styles say the same in grey print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKS = "osD^vPX"
STYLES = ("-", "--", "-.", ":")
GREY = "#777777"
GRID: dict[str, Any] = {"color": "#DDDDDD", "linewidth": 0.6}

Point = tuple[float, float, float, float]
"""Position across, value, and both ends of its interval."""


def get_accuracy_point(x: float, row: Mapping[str, Any]) -> Point:
    """Return the accuracy of ``row`` and its interval in percent, at ``x``."""
    low, high = row["accuracy_interval"]
    return x, 100 * row["accuracy"], 100 * low, 100 * high


def make_axes(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of this size in inches with a single plot in it."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


@dataclass(frozen=True, slots=True)
class ReliabilityPlot:
    """How the reliability of one reading is drawn."""

    curves: Mapping[str, str]
    """Part of the metrics with the bins of a curve, and the curve's name; the last one counts."""
    across: str
    upwards: str


SHARES_PLOT = ReliabilityPlot(
    {"reliability": "answers"}, "share that the answer gives", "share of people who agree"
)
LABELS_PLOT = ReliabilityPlot(
    {"reliability_uncalibrated": "before calibration", "reliability": "after calibration"},
    "top probability",
    "share of answers that are the label",
)


def draw_reliability(
    axes: Axes, metrics: Mapping[str, Any], plot: ReliabilityPlot, markersize: float
) -> None:
    """Draw what answers promise against what is true of them, and the diagonal."""
    axes.plot((0, 1), (0, 1), color=GREY, linewidth=1)
    styles = (("s", "--"), ("o", "-"))[-len(plot.curves) :]
    for index, (part, name) in enumerate(plot.curves.items()):
        mark, line = styles[index]
        axes.plot(
            [each["confidence"] for each in metrics[part]],
            [each["accuracy"] for each in metrics[part]],
            color=COLOURS[len(plot.curves) - 1 - index],
            marker=mark,
            linestyle=line,
            markersize=markersize,
            label=name,
        )
    axes.set(xlabel=plot.across, ylabel=plot.upwards)
    axes.grid(**GRID)


def draw_confusion(
    axes: Axes, matrix: Sequence[Sequence[int]], *, counts: bool, ink: Sequence[str], **image: Any
) -> AxesImage:
    """Draw the share of each label's faces (rows) that got each answer (columns).

    ``counts`` adds the number of faces; ``ink`` colours the text on low and on high shares.
    """
    faces = np.asarray(matrix)
    shares = faces / np.maximum(faces.sum(axis=1, keepdims=True), 1)
    picture = axes.imshow(shares, vmin=0, vmax=1, **image)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.0%}\n{faces[row, column]}" if counts else f"{100 * share:.0f}"
        style: dict[str, Any] = {"color": ink[int(share > 0.55)], "fontsize": 8 if counts else None}
        axes.text(column, row, text, ha="center", va="center", **style)
    names = [str(emotion) for emotion in EMOTIONS]
    axes.set_xticks(range(len(names)), names, rotation=35 if counts else 30, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="answer", ylabel="label")
    return picture


def plot_reliability(title: str, metrics: Mapping[str, Any], plot: ReliabilityPlot) -> bytes:
    """Plot the reliability of a model in one reading."""
    figure, axes = make_axes(5.2, 5.2)
    draw_reliability(axes, metrics, plot, markersize=5)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=title)
    axes.legend(loc="upper left", frameon=False)
    return encode_png(figure)


def plot_confusion(title: str, matrix: Sequence[Sequence[int]]) -> bytes:
    """Plot the answers to each emotion in percent of its faces, with the counts below."""
    figure, axes = make_axes(6.6, 5.8)
    # cividis is dark below the middle of its range.
    ink = "white", "black"
    picture = draw_confusion(axes, matrix, counts=True, ink=ink, cmap="cividis")
    axes.set_title(title)
    figure.colorbar(picture, ax=axes, label="share of the label's faces", shrink=0.85)
    return encode_png(figure)


def plot_risk_coverage(title: str, curves: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Plot the accuracy among the most certain faces, one line per model."""
    figure, axes = make_axes(6.2, 4.6)
    for index, (name, curve) in enumerate(curves.items()):
        axes.plot(
            100 * np.array(curve["coverage"]),
            100 * np.array(curve["accuracy"]),
            color=COLOURS[index % len(COLOURS)],
            linestyle=STYLES[index % len(STYLES)],
            linewidth=2,
            label=f"{name} (AURC {curve['aurc']:.3f})",
        )
    axes.set(xlabel="answered: the most certain faces, %", ylabel="right among the answered, %")
    axes.set(xlim=(0, 100), title=title)
    axes.grid(**GRID)
    axes.legend(loc="lower left", frameon=False)
    return encode_png(figure)


def plot_pareto(
    title: str, models: Mapping[str, tuple[float, float, Sequence[float]]], upwards: str
) -> bytes:
    """Plot a share with its interval against time; ``models`` give ms, percent, (low, high).

    A line joins the models that no other one beats in both.
    """
    figure, axes = make_axes(6.2, 4.6)
    best: list[tuple[float, float]] = []
    for milliseconds, percent, _ in sorted(models.values(), key=lambda each: each[:2]):
        if not best or percent > best[-1][1]:
            best.append((milliseconds, percent))
    axes.plot(*zip(*best, strict=True), color=GREY, linestyle=":", linewidth=1.5, zorder=1)
    for index, (name, (milliseconds, percent, (low, high))) in enumerate(models.items()):
        axes.errorbar(
            milliseconds,
            percent,
            yerr=[[percent - low], [high - percent]],
            color=COLOURS[index % len(COLOURS)],
            marker=MARKS[index % len(MARKS)],
            markersize=8,
            capsize=3,
        )
        axes.annotate(
            name, (milliseconds, percent), xytext=(8, 6), textcoords="offset points", fontsize=9
        )
    axes.set(xlabel="milliseconds for one face", ylabel=upwards, title=title)
    axes.set_xlim(0, 1.35 * max(each[0] for each in models.values()))
    axes.grid(**GRID)
    return encode_png(figure)


def plot_curve(
    title: str,
    *,
    across: str,
    upwards: str,
    points: Sequence[Point],
    level: tuple[float, str],
) -> bytes:
    """Plot ``points`` with their intervals, and a named ``level`` for comparison."""
    figure, axes = make_axes(6.2, 4.2)
    at, values, low, high = zip(*points, strict=True)
    axes.fill_between(at, low, high, color=COLOURS[0], alpha=0.18, linewidth=0)
    axes.plot(at, values, color=COLOURS[0], marker="o", linewidth=2)
    axes.axhline(level[0], color=COLOURS[1], linestyle="--", linewidth=1.5, label=level[1])
    axes.set(xlabel=across, ylabel=upwards, title=title)
    axes.grid(**GRID)
    axes.legend(loc="lower left", frameon=False)
    return encode_png(figure)


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several plots side by side."""

    across: str
    lines: Mapping[str, Sequence[Point]]
    ticks: Sequence[str] | None = None
    """Names of 0, 1, 2 … across; None for numbers."""
    falling: bool = False
    """Whether the numbers fall from left to right."""


def plot_panels(
    title: str, panels: Mapping[str, Panel], *, columns: int = 3, joined: bool = True
) -> bytes:
    """Plot named ``panels`` with a common vertical scale; points ``joined`` by lines or not."""
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(3.2 * columns, 2.7 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.remove()
    for axes, (name, panel) in zip(grid, panels.items(), strict=False):
        for index, points in enumerate(panel.lines.values()):
            _draw_line(axes, points, index, len(panel.lines), joined)
        axes.set(title=name, xlabel=panel.across)
        if panel.ticks is not None:
            long = max((len(tick) for tick in panel.ticks), default=0) > 6
            axes.set_xticks(
                range(len(panel.ticks)),
                panel.ticks,
                rotation=35 if long else 0,
                ha="right" if long else "center",
                fontsize=8,
            )
        if panel.falling:
            axes.invert_xaxis()
        axes.grid(**GRID)
    first = next(iter(panels.values()))
    handles = grid[0].get_lines()[: len(first.lines)] if joined else grid[0].containers
    figure.legend(
        handles, list(first.lines), loc="outside lower center", ncols=4, frameon=False, fontsize=9
    )
    figure.suptitle(title)
    return encode_png(figure, dpi=110)


def _draw_line(axes: Axes, points: Sequence[Point], index: int, among: int, joined: bool) -> None:
    """Draw one line with a band for its intervals, or marks with bars beside the other lines'."""
    if not points:
        return
    at, values, low, high = (np.array(each) for each in zip(*points, strict=True))
    colour, mark = COLOURS[index % len(COLOURS)], MARKS[index % len(MARKS)]
    if joined:
        order = np.argsort(at)
        axes.fill_between(at[order], low[order], high[order], color=colour, alpha=0.12, linewidth=0)
        axes.plot(at[order], values[order], color=colour, marker=mark, linewidth=1.6, markersize=4)
        return
    axes.errorbar(
        at + 0.16 * (index - (among - 1) / 2),
        values,
        # An array, because matplotlib splits a list of two with a call that numpy deprecated.
        yerr=np.stack([values - low, high - values]),
        color=colour,
        marker=mark,
        markersize=4,
        linewidth=1.2,
        linestyle="none",
        capsize=2,
    )


def encode_png(figure: Figure, dpi: int = 130) -> bytes:
    """Return the figure as PNG."""
    buffer = BytesIO()
    # A Figure made without pyplot never needs a window.
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
