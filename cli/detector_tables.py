"""Tables that `emotion detector` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cli.tables import make_table
from core import format_metric

if TYPE_CHECKING:
    from rich.table import Table

_METRICS = {
    "threshold": "threshold",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "ap": "average precision",
    "false_alarms_per_100_negatives": "false alarms per 100 photos without a face",
    "seconds_per_image": "seconds a photo",
}


def make_tuning_table(name: str, presets: Mapping[str, Any]) -> Table:
    """Return a row for each preset and operating point of the detector ``name``."""
    table = make_table(name, "threshold", "precision", "recall", "F1")
    for preset, entry in presets.items():
        for point, figures in entry["points"].items():
            metrics = (f"{figures[key]:.3f}" for key in ("precision", "recall", "f1"))
            table.add_row(f"{preset}, {point}", f"{figures['threshold']:.3g}", *metrics)
    return table


def make_evaluation_table(figures: Mapping[str, Any]) -> Table:
    """Return a row for each metric, a column for each of one or two detectors."""
    against = figures.get("against")
    detectors = [figures, against] if against else [figures]
    table = make_table(
        f"On {figures['photos']} photos, {figures['faces']} faces",
        *(str(each["detector"]) for each in detectors),
    )
    for key, label in _METRICS.items():
        if any(key in each for each in detectors):
            table.add_row(
                label, *(format_metric(each, key, ".3f", absent="") for each in detectors)
            )
    if against:
        table.add_row("times as fast", f"{against['times_as_fast']:.1f}", "1")
    return table
