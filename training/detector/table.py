"""The table of detectors that the documents show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.config import OperatingPoint
from core.errors import DataError
from core.output.intervals import format_metric

_ROWS = {
    "threshold": "threshold",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "ap": "average precision",
}


def detectors_table(files: Sequence[Path]) -> str:
    """A Markdown table with one column for each of the JSON ``files``; DataError if one is none."""
    columns = [_read(file) for file in files]
    lines = [
        _line("", [_heading(each) for each in columns]),
        _line("---", ["---"] * len(columns)),
    ]
    lines += [
        _line(words, [format_metric(each, key, ".3f") for each in columns])
        for key, words in _ROWS.items()
    ]
    for size in columns[0]["by_size"]:
        count = columns[0]["by_size"][size]["faces"]
        cells = [_of_size(each["by_size"][size]) for each in columns]
        lines.append(_line(f"precision, recall, F1 at {size} px ({count} faces)", cells))
    if all("false_alarms_per_100_negatives" in each for each in columns):
        count = columns[0]["negatives"]
        words = f"false alarms per 100 photos without a face ({count} photos)"
        cells = [format_metric(each, "false_alarms_per_100_negatives") for each in columns]
        lines.append(_line(words, cells))
    cells = [f"{1000 * each['seconds_per_image']:.0f}" for each in columns]
    lines.append(_line("ms a photo", cells))
    return "\n".join(lines) + "\n"


def _heading(figures: Mapping[str, Any]) -> str:
    """Detector and preset, and the operating point where it is not the usual one."""
    heading = f"{figures['detector']}, {figures['preset']}"
    words = str(figures.get("threshold_is", ""))
    usual = not words or f"for {OperatingPoint.BALANCED}" in words
    return heading if usual else f"{heading}, {words}"


def sweep_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table of the settings of MTCNN that ``emotion detector tune --sweep`` tried."""
    lines = [
        "| smallest face, px | pyramid | stages | threshold | precision | recall | F1 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        stages = ", ".join(f"{level:g}" for level in row["stage_thresholds"])
        figures = [f"{row[name]:.3f}" for name in ("precision", "recall", "f1")]
        cells = [f"{row['pyramid_factor']:g}", stages, f"{row['threshold']:g}", *figures]
        lines.append(_line(f"{row['min_face_px']}", cells))
    return "\n".join(lines) + "\n"


def _read(file: Path) -> Mapping[str, Any]:
    try:
        metrics: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not {"detector", "preset", "by_size", *_ROWS} <= metrics.keys():
            raise ValueError("figures are missing")
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(
            f"'{file.name}' does not hold what a detector was measured to do ({error}).",
            hint="Give the detection.json that `emotion detector evaluate` writes.",
        ) from error
    return metrics


def _line(first: str, others: Sequence[str]) -> str:
    return f"| {' | '.join((first, *others))} |"


def _of_size(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{figures[name]:.2f}" for name in ("precision", "recall", "f1"))
