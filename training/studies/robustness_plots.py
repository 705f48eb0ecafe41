"""The robustness study as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..reporting.plots import Panel, plot_panels
from .figures import get_accuracy_point

_UNITS = {
    "gamma": "gamma (1: unchanged; higher: darker)",
    "blur": "blur, px of 48",
    "noise": "noise, grey values of 255",
    "jpeg": "JPEG quality, worse to the right",
    "rotation": "turned by, degrees",
    "eyes": "bar across the eyes, px of 48",
    "mouth": "bar across the mouth, px of 48",
}


def plot_slices(report: Mapping[str, Any]) -> bytes:
    """Plot a panel for each slicing: accuracy of its groups, a mark for each model."""
    panels = {}
    for name in report["slicings"]:
        lines, ticks = {}, []
        for model, result in report["models"].items():
            rows = [row for row in result["slices"][name] if "accuracy" in row]
            ticks = [row["group"].partition(" (")[0] for row in rows]
            lines[model] = [get_accuracy_point(index, row) for index, row in enumerate(rows)]
        panels[name.replace("_", " ")] = Panel("", lines, ticks=ticks)
    return plot_panels("Accuracy by group of faces, %", panels, columns=4, joined=False)


def plot_curves(report: Mapping[str, Any]) -> bytes:
    """Plot a panel for each degradation: accuracy by level, a line for each model."""
    panels = {}
    for kind in report["degradations"]:
        lines = {
            model: [get_accuracy_point(float(row["level"]), row) for row in result["curves"][kind]]
            for model, result in report["models"].items()
        }
        panels[kind] = Panel(_UNITS[kind], lines, falling=kind == "jpeg")
    return plot_panels("Accuracy on faces made worse, %", panels, columns=4)
