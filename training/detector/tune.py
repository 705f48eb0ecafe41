"""Choosing thresholds by measurement, and recording them with their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.config import Device, Preset, get_settings
from core.detectors import DETECTORS
from core.detectors.mtcnn import MtcnnDetector
from core.detectors.tuning import TUNED_NAME, TUNED_VERSION, read_tuned
from core.files import write_json
from core.weights import SHIPPED_DIR

from ..evaluation.speed import describe_machine
from .measure import Progress, load_for_measuring, run_on_annotated, run_on_negatives
from .metrics import (
    LOWEST,
    choose_operating_points,
    compute_curve,
    compute_false_alarm_rate,
    compute_metrics_at,
)

_SWEPT = get_settings(Preset.THOROUGH, "mtcnn")
"""The preset that uses MTCNN."""
_MTCNN_START: dict[str, Any] = {
    "min_face_px": _SWEPT.min_face_px,
    "pyramid_factor": 0.709,
    "stage_thresholds": (0.6, 0.7, 0.7),
}
"""The choice of facenet-pytorch's authors, with which the sweep begins."""
_MTCNN_TRIES: dict[str, Sequence[Any]] = {
    "stage_thresholds": (
        (0.5, 0.6, 0.6),
        (0.6, 0.6, 0.6),
        (0.6, 0.7, 0.6),
        (0.7, 0.7, 0.7),
        (0.6, 0.8, 0.7),
        (0.7, 0.8, 0.8),
    ),
    "pyramid_factor": (0.5, 0.6, 0.79),
    "min_face_px": (16, 24, 28, 32),
}
"""Tried one after the other, each with the best values of those before."""


def tune_detectors(
    images: Path,
    boxes: Path,
    *,
    detectors: Sequence[str] = (),
    min_size_px: float = 32.0,
    negatives: Path | None = None,
    sweep: bool = False,
    weights_dir: Path | None = None,
    device: Device | str = Device.AUTO,
    progress: Progress | None = None,
) -> tuple[Path, dict[str, Any], tuple[str, ...]]:
    """Choose the thresholds of ``detectors``, or of all, on the photos of a COCO file.

    For every preset, the threshold of each operating point comes from one curve and is written
    to ``detection.json`` beside the weights, with its figures. ``negatives`` are photos without
    a face; those that training learns from are left out. ``sweep`` also tries MTCNN's own settings
    and writes their figures, from which a person chooses. Returns the file, its content, and the
    photos that were skipped.
    """
    folder = weights_dir or SHIPPED_DIR
    names = tuple(detectors) or DETECTORS.names()
    document = _read_earlier(folder)
    skipped: tuple[str, ...] = ()
    for preset in Preset:
        if progress:
            progress(f"preset {preset.value}")
        loaded = {
            name: load_for_measuring(name, preset, device=Device(device), weights_dir=folder)
            for name in names
        }
        answers = run_on_annotated(loaded, images, boxes, progress)
        skipped = answers.skipped
        alarms = run_on_negatives(loaded, negatives, held_out=True)
        for name in names:
            matches = answers.match(name, min_size_px)
            measured = compute_curve(matches)
            levels = choose_operating_points(measured)
            points = {}
            for point, level in levels.items():
                points[point.value] = {"threshold": level, **compute_metrics_at(matches, level)}
                if alarms:
                    points[point.value].update(compute_false_alarm_rate(alarms[name].found, level))
            balanced = points["balanced"]
            document["detectors"].setdefault(name, {})[preset.value] = {
                "data": f"{len(answers.truth)} photos of {boxes.stem}",
                "faces": int(matches.faces.sum()),
                "min_size_px": min_size_px,
                "working_px": get_settings(preset, name).working_px,
                "min_face_px": get_settings(preset, name).min_face_px,
                "ap": matches.ap,
                "points": points,
                "curve": measured,
                "false_alarms_per_100_negatives": balanced.get("false_alarms_per_100_negatives"),
                "seconds_per_image": sum(answers.runs[name].seconds) / len(answers.truth),
                "machine": describe_machine(),
            }
    if sweep:
        document["mtcnn_sweep"] = _sweep_settings(
            images, boxes, min_size_px, Device(device), progress
        )
    file = folder / TUNED_NAME
    write_json(file, document, indent=1)
    return file, document, skipped


def _read_earlier(folder: Path) -> dict[str, Any]:
    """Return the earlier figures, which detectors keep if they are not tuned now."""
    file = folder / TUNED_NAME
    if file.exists():
        document = read_tuned(file)
        if document.get("schema_version") == TUNED_VERSION:
            return document
    return {"schema_version": TUNED_VERSION, "detectors": {}}


def _sweep_settings(
    images: Path, boxes: Path, min_size_px: float, device: Device, progress: Progress | None
) -> list[dict[str, Any]]:
    """Return the figures at the best F1 for each of MTCNN's settings that was tried."""

    def measure(settings: Mapping[str, Any]) -> dict[str, Any]:
        detector = MtcnnDetector(
            working_px=_SWEPT.working_px,
            threshold=LOWEST,
            device=device,
            **settings,
        )
        answers = run_on_annotated({"mtcnn": detector}, images, boxes)
        matches = answers.match("mtcnn", min_size_px)
        measured = compute_curve(matches)
        at = max(range(len(measured["f1"])), key=lambda index: measured["f1"][index])
        return {
            **settings,
            **{name: values[at] for name, values in measured.items()},
            "ap": matches.ap,
            "seconds_per_image": sum(answers.runs["mtcnn"].seconds) / len(answers.truth),
        }

    best = dict(_MTCNN_START)
    rows = [measure(best)]
    for name, values in _MTCNN_TRIES.items():
        for value in values:
            row = measure({**best, name: value})
            rows.append(row)
            if progress:
                progress(f"MTCNN {name} {value}: F1 {row['f1']:.3f}")
        leader = max(rows, key=lambda row: row["f1"])
        best = {key: leader[key] for key in _MTCNN_START}
    return rows
