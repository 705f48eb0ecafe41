"""The tables of detectors that the documents show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.config import OperatingPoint
from core.errors import DataError
from core.files import read_json

from ..reporting.rendering import render_text

_FIGURES = {
    "threshold": "threshold",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "ap": "average precision",
}


def format_detectors_table(files: Sequence[Path]) -> str:
    """Return a Markdown table, a column for each JSON file of `emotion detector evaluate`.

    DataError if a file is something else.
    """
    columns = [_read_figures(file) for file in files]
    return render_text(
        "detectors.md.j2",
        columns=columns,
        headings=[_describe_column(each) for each in columns],
        figures=_FIGURES,
    )


def format_sweep_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table of the MTCNN settings that `emotion detector tune --sweep` tried."""
    return render_text("detector_sweep.md.j2", rows=rows)


def format_turned_table(report: Mapping[str, Any]) -> str:
    """Return a Markdown table of what `emotion study turned` measured, a row for each preset."""
    return render_text("turned.md.j2", report=report)


def _describe_column(figures: Mapping[str, Any]) -> str:
    """Return detector and preset, and the operating point unless it is the balanced one."""
    heading = f"{figures['detector']}, {figures['preset']}"
    words = str(figures.get("threshold_is", ""))
    usual = not words or f"for {OperatingPoint.BALANCED}" in words
    return heading if usual else f"{heading}, {words}"


def _read_figures(file: Path) -> Mapping[str, Any]:
    try:
        metrics: dict[str, Any] = read_json(file)
        if not {"detector", "preset", "by_size", *_FIGURES} <= metrics.keys():
            raise ValueError("figures are missing")
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(
            f"'{file.name}' does not hold the figures of a detector ({error}).",
            hint="Give the detection.json that `emotion detector evaluate` writes.",
        ) from error
    return metrics
