"""The report's figures as SVG, readable in print and in grey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.labels import EMOTIONS

# Okabe and Ito 2008; marks and line styles say the same to whoever prints in grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = "osD^vPX"
_STYLES = ("-", "--", "-.", ":")
_GREY = "#777777"
_SETTINGS: dict[Any, Any] = {
    # Letters stay letters: they can be searched, and the files are small.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    # The same figures give the same file.
    "svg.hashsalt": "photo-emotion",
}

Point = tuple[float, float, float, float]
"""Where it lies across, a value and the ends of its interval."""


def use_print_style() -> AbstractContextManager[None]:
    """Within it, charts are drawn for print."""
    return mpl.rc_context(_SETTINGS)


def plot_accuracy(models: Mapping[str, Mapping[str, Any]]) -> str:
    """Accuracy of each model with its interval, on all faces and without near-copies."""
    figure, axes = _new(6.4, 0.5 + 0.55 * len(models))
    for row, metrics in enumerate(models.values()):
        parts = [("all faces", metrics), ("without near-copies", metrics.get("deduplicated") or {})]
        for index, (label, part) in enumerate(parts):
            if "accuracy" not in part:
                continue
            low, high = part["accuracy_interval"]
            middle = part["accuracy"]
            axes.errorbar(
                100 * middle,
                row + 0.16 * (2 * index - 1),
                xerr=[[100 * (middle - low)], [100 * (high - middle)]],
                color=_COLOURS[index],
                marker=_MARKS[index],
                capsize=3,
                label=label if row == 0 else None,
            )
    axes.set_yticks(range(len(models)), list(models))
    axes.invert_yaxis()
    axes.set_xlabel("right, % (bars: 95 % intervals)")
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8, loc="best")
    return _svg(figure)


def plot_recalls(models: Mapping[str, Mapping[str, Any]]) -> str:
    """How often each emotion's faces are answered with it, by model."""
    figure, axes = _new(6.4, 3.2)
    names = [str(emotion) for emotion in EMOTIONS]
    for index, (model, metrics) in enumerate(models.items()):
        axes.plot(
            np.arange(len(names)) + 0.12 * (index - (len(models) - 1) / 2),
            [100 * metrics["per_class"][name]["recall"] for name in names],
            linestyle="none",
            marker=_MARKS[index % len(_MARKS)],
            color=_COLOURS[index % len(_COLOURS)],
            label=model,
        )
    axes.set_xticks(range(len(names)), names)
    axes.set(ylim=(0, 100), ylabel="recall, %")
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower center")
    return _svg(figure)


def confusion_chart(matrix: Sequence[Sequence[int]]) -> str:
    """Answers to each emotion in percent of its faces."""
    counts = np.asarray(matrix, dtype=np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _new(5.2, 4.4)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.55 else "black"
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour)
    names = [str(emotion) for emotion in EMOTIONS]
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="answer", ylabel="label")
    return _svg(figure)


def reliability_chart(models: Mapping[str, Mapping[str, Any]]) -> str:
    """Promised against actual accuracy of each model, before and after calibration."""
    figure = Figure(figsize=(6.4, 3.3 * ((len(models) + 1) // 2)), layout="constrained")
    grid = figure.subplots((len(models) + 1) // 2, min(2, len(models)), squeeze=False)
    for axes in grid.flat[len(models) :]:
        axes.remove()
    for axes, (name, metrics) in zip(grid.flat, models.items(), strict=False):
        axes.plot((0, 1), (0, 1), color=_GREY, linewidth=1)
        for index, part in enumerate(("reliability_uncalibrated", "reliability")):
            axes.plot(
                [each["confidence"] for each in metrics[part]],
                [each["accuracy"] for each in metrics[part]],
                marker="so"[index],
                markersize=4,
                linestyle=("--", "-")[index],
                color=_COLOURS[1 - index],
                label=("before calibration", "after")[index],
            )
        axes.set(xlim=(0.2, 1), ylim=(0.2, 1), title=name, aspect="equal")
        axes.set(xlabel="top probability", ylabel="right")
        axes.grid(color="#DDDDDD", linewidth=0.6)
    grid[0, 0].legend(frameon=False, fontsize=8)
    return _svg(figure)


def plot_grid(
    rows: Mapping[str, Mapping[str, Sequence[Point]]], *, across: str, upwards: str
) -> str:
    """A row for each name, a panel in it for each of its curves with a band for the interval.

    The first point of a curve is what the others are held to: a dotted line runs through it. A
    panel holds one curve, as bands of several hide one another in print.
    """
    columns = list(next(iter(rows.values())))
    figure = Figure(figsize=(6.8, 1.1 * len(rows) + 0.7), layout="constrained")
    grid = figure.subplots(len(rows), len(columns), squeeze=False, sharex="row", sharey=True)
    for line_of_axes, (name, curves) in zip(grid, rows.items(), strict=True):
        line_of_axes[0].set_ylabel(name)
        for axes, column in zip(line_of_axes, columns, strict=True):
            places, values, low, high = zip(*sorted(curves[column]), strict=True)
            axes.axhline(curves[column][0][1], color=_GREY, linestyle=":", linewidth=1)
            axes.fill_between(places, low, high, color=_COLOURS[0], alpha=0.25, linewidth=0)
            axes.plot(places, values, color=_COLOURS[0], marker=_MARKS[0], markersize=2.5)
            axes.grid(color="#DDDDDD", linewidth=0.6)
    for axes, column in zip(grid[0], columns, strict=True):
        axes.set_title(column, fontsize=9)
    figure.supxlabel(across, fontsize=9)
    figure.supylabel(upwards, fontsize=9)
    return _svg(figure)


def plot_lines(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    *,
    across: str,
    upwards: str,
    level: tuple[float, str] | None = None,
    marks: bool = True,
    logarithmic: bool = False,
) -> str:
    """A line for each of the named ``curves``, and a named ``level`` to hold them to."""
    figure, axes = _new(6.4, 3.5)
    for index, (name, line) in enumerate(curves.items()):
        axes.plot(
            *zip(*line, strict=True),
            color=_COLOURS[index % len(_COLOURS)],
            linestyle=_STYLES[index % len(_STYLES)],
            marker=_MARKS[index % len(_MARKS)] if marks else None,
            markersize=4,
            label=name,
        )
    if level is not None:
        axes.axhline(level[0], color=_GREY, linestyle=":", label=level[1])
    if logarithmic:
        axes.set(xscale="log", yscale="log")
    axes.set(xlabel=across, ylabel=upwards)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8)
    return _svg(figure)


def _new(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Figure) -> str:
    buffer = BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue().decode()
