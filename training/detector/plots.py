"""Plots of what detectors were measured to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ..reporting.plots import COLOURS, GRID, STYLES, encode_png


def plot_detector_curves(
    curves: Mapping[str, Mapping[str, Sequence[float]]], levels: Mapping[str, tuple[float, str]]
) -> bytes:
    """Plot precision against recall and F1 against the threshold, each with the chosen point."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for index, (name, curve) in enumerate(curves.items()):
        colour, style = COLOURS[index % len(COLOURS)], STYLES[index % len(STYLES)]
        left.plot(curve["recall"], curve["precision"], style, color=colour, label=name)
        right.plot(curve["threshold"], curve["f1"], style, color=colour, label=name)
        nearest = int(np.abs(np.array(curve["threshold"]) - levels[name][0]).argmin())
        left.plot(curve["recall"][nearest], curve["precision"][nearest], "o", color=colour)
        right.plot(curve["threshold"][nearest], curve["f1"][nearest], "o", color=colour)
    left.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    right.set(xlim=(0, 1), ylim=(0, 1), xlabel="threshold", ylabel="F1")
    for axes in (left, right):
        axes.grid(**GRID)
        axes.legend(loc="lower left", frameon=False)
    figure.suptitle("Dots: the threshold in use")
    return encode_png(figure)
