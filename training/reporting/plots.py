"""Evaluation plots as PNG, in colours that colour-blind people tell apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.labels import EMOTIONS

# Okabe and Ito 2008; line styles say the same to whoever prints in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLES = ("-", "--", "-.", ":")
_GREY = "#777777"


def plot_reliability(
    title: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> bytes:
    """Promised against actual accuracy, before and after calibration."""
    figure = Figure(figsize=(5.2, 5.2), layout="constrained")
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color=_GREY, linewidth=1, label="perfect")
    for parts, name, colour, marker, style in (
        (before, "before calibration", COLOURS[1], "s", "--"),
        (after, "after calibration", COLOURS[0], "o", "-"),
    ):
        axes.plot(
            [part["confidence"] for part in parts],
            [part["accuracy"] for part in parts],
            color=colour,
            marker=marker,
            linestyle=style,
            markersize=5,
            label=name,
        )
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
        xlabel="top probability (mean of the bin)",
        ylabel="accuracy of the bin",
        title=title,
    )
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.legend(loc="upper left", frameon=False)
    return encode_png(figure)


def plot_confusion(title: str, matrix: Sequence[Sequence[int]]) -> bytes:
    """Answers to each emotion in percent of its faces, with the counts below."""
    counts = np.asarray(matrix, dtype=np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6.6, 5.8), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        axes.text(
            column,
            row,
            f"{share:.0%}\n{counts[row, column]:.0f}",
            ha="center",
            va="center",
            fontsize=8,
            # cividis is dark below the middle of its range.
            color="black" if share > 0.55 else "white",
        )
    names = [str(emotion) for emotion in EMOTIONS]
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="answer", ylabel="label", title=title)
    figure.colorbar(picture, ax=axes, label="share of the label's faces", shrink=0.85)
    return encode_png(figure)


def plot_risk_coverage(title: str, curves: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Accuracy among the most certain faces, one line per model."""
    figure = Figure(figsize=(6.2, 4.6), layout="constrained")
    axes = figure.subplots()
    for index, (name, curve) in enumerate(curves.items()):
        axes.plot(
            [100 * share for share in curve["coverage"]],
            [100 * accuracy for accuracy in curve["accuracy"]],
            color=COLOURS[index % len(COLOURS)],
            linestyle=STYLES[index % len(STYLES)],
            linewidth=2,
            label=f"{name} (AURC {curve['aurc']:.3f})",
        )
    axes.set(
        xlabel="answered: the most certain faces, %",
        ylabel="right among the answered, %",
        xlim=(0, 100),
        title=title,
    )
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.legend(loc="lower left", frameon=False)
    return encode_png(figure)


def plot_pareto(title: str, models: Mapping[str, tuple[float, float, Sequence[float]]]) -> bytes:
    """Plot accuracy with its interval against time; ``models`` give ms, accuracy, (low, high).

    A line joins the models that no other one beats in both.
    """
    figure = Figure(figsize=(6.2, 4.6), layout="constrained")
    axes = figure.subplots()
    best: list[tuple[float, float]] = []
    for milliseconds, accuracy, _ in sorted(models.values(), key=lambda each: each[:2]):
        if not best or accuracy > best[-1][1]:
            best.append((milliseconds, accuracy))
    axes.plot(*zip(*best, strict=True), color=_GREY, linestyle=":", linewidth=1.5, zorder=1)
    for index, (name, (milliseconds, accuracy, (low, high))) in enumerate(models.items()):
        axes.errorbar(
            milliseconds,
            accuracy,
            yerr=[[accuracy - low], [high - accuracy]],
            color=COLOURS[index % len(COLOURS)],
            marker="osD^"[index % 4],
            markersize=8,
            capsize=3,
        )
        axes.annotate(
            name, (milliseconds, accuracy), xytext=(8, 6), textcoords="offset points", fontsize=9
        )
    axes.set(xlabel="milliseconds for one face", ylabel="right, %", title=title)
    axes.set_xlim(0, 1.35 * max(each[0] for each in models.values()))
    axes.grid(color="#DDDDDD", linewidth=0.6)
    return encode_png(figure)


def plot_curve(
    title: str,
    *,
    across: str,
    upwards: str,
    at: Sequence[float],
    values: Sequence[float],
    spans: Sequence[Sequence[float]],
    level: tuple[float, str],
) -> bytes:
    """``values`` with their intervals ``spans``, and a named ``level`` to hold them to."""
    figure = Figure(figsize=(6.2, 4.2), layout="constrained")
    axes = figure.subplots()
    low, high = zip(*spans, strict=True)
    axes.fill_between(at, low, high, color=COLOURS[0], alpha=0.18, linewidth=0)
    axes.plot(at, values, color=COLOURS[0], marker="o", linewidth=2)
    axes.axhline(level[0], color=COLOURS[1], linestyle="--", linewidth=1.5, label=level[1])
    axes.set(xlabel=across, ylabel=upwards, title=title)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.legend(loc="lower left", frameon=False)
    return encode_png(figure)


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several plots side by side."""

    across: str
    lines: Mapping[str, Sequence[tuple[float, float, float, float]]]
    """By name its points: where, value, and the value's interval."""
    ticks: Sequence[str] | None = None
    """Names of 0, 1, 2 … across; None for numbers."""
    falling: bool = False
    """Whether the numbers fall from left to right."""


def plot_panels(
    title: str, panels: Mapping[str, Panel], *, columns: int = 3, joined: bool = True
) -> bytes:
    """Named ``panels`` with one scale upwards; points ``joined`` by lines, or side by side."""
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
            turned = max((len(tick) for tick in panel.ticks), default=0) > 6
            axes.set_xticks(
                range(len(panel.ticks)),
                panel.ticks,
                rotation=35 if turned else 0,
                ha="right" if turned else "center",
                fontsize=8,
            )
        if panel.falling:
            axes.invert_xaxis()
        axes.grid(color="#DDDDDD", linewidth=0.6)
    first = next(iter(panels.values()))
    handles = grid[0].get_lines()[: len(first.lines)] if joined else grid[0].containers
    figure.legend(
        handles, list(first.lines), loc="outside lower center", ncols=4, frameon=False, fontsize=9
    )
    figure.suptitle(title)
    return encode_png(figure, dpi=110)


def _draw_line(
    axes: Axes,
    points: Sequence[tuple[float, float, float, float]],
    index: int,
    among: int,
    joined: bool,
) -> None:
    """One line with the band of its intervals, or marks with bars beside those of the others."""
    if not points:
        return
    at, values, low, high = (np.array(each) for each in zip(*points, strict=True))
    colour, mark = COLOURS[index % len(COLOURS)], "osD^vP"[index % 6]
    if joined:
        order = np.argsort(at)
        axes.fill_between(at[order], low[order], high[order], color=colour, alpha=0.12, linewidth=0)
        axes.plot(at[order], values[order], color=colour, marker=mark, linewidth=1.6, markersize=4)
        return
    axes.errorbar(
        at + 0.16 * (index - (among - 1) / 2),
        values,
        # One array: matplotlib takes a list of two apart with a call that numpy gave up.
        yerr=np.stack([values - low, high - values]),
        color=colour,
        marker=mark,
        markersize=4,
        linewidth=1.2,
        linestyle="none",
        capsize=2,
    )


def encode_png(figure: Figure, dpi: int = 130) -> bytes:
    """The encoded figure."""
    buffer = BytesIO()
    # Agg whatever the environment: a Figure made without pyplot knows no window.
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
