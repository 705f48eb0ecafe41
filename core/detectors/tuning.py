"""Measured quality of each detector, and the thresholds chosen from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..config import OperatingPoint, Preset
from ..files import read_bounded, read_json
from ..weights import SHIPPED_DIR, parse_document, report_corrupt_file

TUNED_NAME = "detection.json"
"""Beside the weights; `emotion detector tune` writes it."""
TUNED_VERSION = 1


@dataclass(frozen=True, slots=True)
class DetectionPoint:
    """Quality of a detector at one threshold."""

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """What `emotion detector tune` measured for one detector and preset."""

    detector: str
    preset: Preset
    data: str
    """The photos used, in words."""
    min_size_px: float
    """Smaller faces were ignored."""
    points: Mapping[OperatingPoint, DetectionPoint]
    curve: tuple[DetectionPoint, ...]
    """By rising threshold."""
    ap: float
    false_alarms_per_100_negatives: float | None
    """At the balanced point; None if no photos without a face were measured."""

    def at(self, threshold: float) -> DetectionPoint:
        """Return the quality at the measured threshold nearest to ``threshold``."""
        return min(self.curve, key=lambda point: abs(point.threshold - threshold))


@report_corrupt_file(
    TUNED_NAME,
    hint="Restore it with `git checkout -- weights/`, or measure again with "
    "`emotion detector tune`.",
)
def detection_figures(
    detector: str, preset: Preset = Preset.BALANCED, weights_dir: Path | None = None
) -> DetectionFigures | None:
    """Return what was measured for ``detector``, or None; WeightsCorrupt if it is unreadable.

    ``weights_dir`` None means the shipped folder.
    """
    try:
        data = read_bounded((weights_dir or SHIPPED_DIR) / TUNED_NAME)
    except FileNotFoundError:
        return None
    document = parse_document(data, TUNED_VERSION)
    entry = document["detectors"].get(detector, {}).get(preset.value)
    return None if entry is None else _parse_figures(detector, preset, entry)


def _parse_figures(detector: str, preset: Preset, entry: Mapping[str, Any]) -> DetectionFigures:
    points = {OperatingPoint(name): _parse_point(point) for name, point in entry["points"].items()}
    if points.keys() != set(OperatingPoint):
        raise ValueError(f"{detector} lacks an operating point")
    rows = zip(*(entry["curve"][each.name] for each in fields(DetectionPoint)), strict=True)
    alarms = entry.get("false_alarms_per_100_negatives")
    return DetectionFigures(
        detector=detector,
        preset=preset,
        data=str(entry["data"]),
        min_size_px=float(entry["min_size_px"]),
        points=points,
        curve=tuple(DetectionPoint(*map(float, row)) for row in rows),
        ap=float(entry["ap"]),
        false_alarms_per_100_negatives=None if alarms is None else float(alarms),
    )


def _parse_point(entry: Mapping[str, Any]) -> DetectionPoint:
    point = DetectionPoint(*(float(entry[each.name]) for each in fields(DetectionPoint)))
    if not 0.0 <= point.threshold <= 1.0:
        raise ValueError(f"a threshold of {point.threshold}")
    return point


def read_tuned(file: Path) -> dict[str, Any]:
    """Return all figures that `emotion detector tune` wrote, of any version, to change them."""
    with report_corrupt_file(file.name, hint=f"It is in {file.parent}: delete or replace it."):
        document: dict[str, Any] = read_json(file)
        document["detectors"].items()
    return document


def find_tuned_threshold(
    detector: str, preset: Preset, point: OperatingPoint, weights_dir: Path | None = None
) -> float | None:
    """Return the score from which a detection counts; None if no threshold was measured."""
    figures = detection_figures(detector, preset, weights_dir)
    return None if figures is None else figures.points[point].threshold
