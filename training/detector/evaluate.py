"""How good a detector is, measured on photos with boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.config import Device, OperatingPoint, Preset, settings_for
from core.detectors import Detector
from core.detectors.tuning import tuned_threshold
from core.errors import ConfigError
from core.files import atomic_write, write_json

from ..evaluation.intervals import percentile_interval
from ..evaluation.speed import describe_machine
from .matching import MATCH_IOU, Matches
from .measure import DetectorRun, Progress, load_for_measuring, run_on_annotated, run_on_photos
from .metrics import (
    bootstrap_metrics,
    choose_operating_points,
    compute_curve,
    count_per_photo,
    false_alarm_rate,
    metrics_at,
    metrics_by_size,
)
from .plots import plot_detector_curves
from .train import is_training_negative

RESULT_NAME = "detection.json"


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """What was measured, and where it was written."""

    directory: Path
    figures: Mapping[str, Any]
    """What the JSON file holds."""
    skipped: tuple[str, ...]


def evaluate_detector(
    images: Path,
    boxes: Path,
    directory: Path,
    *,
    detector: str,
    preset: Preset | str = Preset.BALANCED,
    operating_point: OperatingPoint | str = OperatingPoint.BALANCED,
    threshold: float | None = None,
    min_size_px: float = 32.0,
    negatives: Path | None = None,
    held_out: bool = False,
    against: str | None = None,
    weights_dir: Path | None = None,
    device: Device | str = Device.AUTO,
    progress: Progress | None = None,
) -> DetectionResult:
    """Measure ``detector`` on the photos of a COCO file and write ``detection.json`` and plots.

    Figures are those at ``threshold``, else at the operating point as it was tuned, else at the
    threshold with the best F1 here, which flatters. Faces below ``min_size_px`` on their shorter
    side count neither way. ``negatives`` are photos without a face; with ``held_out`` those that
    training learns from are left out. ``against`` measures a second detector on the same photos
    in turn, for its speed and the difference in F1; ``facenet-pytorch`` is MTCNN as found.
    """
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise ConfigError(
            f"The threshold must lie between 0 and 1, got {threshold:g}.",
            hint="Leave it out to take the tuned one.",
        )
    preset, point = Preset(preset), OperatingPoint(operating_point)
    names = dict.fromkeys((detector, against)) if against else {detector: None}
    detectors = {
        str(name): load_for_measuring(
            str(name), preset, device=Device(device), weights_dir=weights_dir
        )
        for name in names
    }
    answers = run_on_annotated(detectors, images, boxes, progress)
    matches = {name: answers.of(name).matches(min_size_px) for name in detectors}
    levels = {
        name: _threshold(name, matches[name], preset, point, weights_dir) for name in detectors
    }
    if threshold is not None:
        levels[detector] = (threshold, "given")
    level, chosen = levels[detector]
    figures: dict[str, Any] = {
        "detector": detector,
        "preset": preset.value,
        "working_px": settings_for(preset, detector).working_px,
        "min_face_px": settings_for(preset, detector).min_face_px,
        "data": boxes.stem,
        "photos": len(answers.truth),
        "faces": int(matches[detector].faces.sum()),
        "min_size_px": min_size_px,
        "iou": MATCH_IOU,
        "threshold": level,
        "threshold_is": chosen,
        **metrics_at(matches[detector], level),
        "ap": matches[detector].ap,
        "by_size": metrics_by_size(answers.of(detector), level),
        "curve": compute_curve(matches[detector]),
        "machine": describe_machine(),
        **_times(answers.asked[detector]),
    }
    alarms: Mapping[str, DetectorRun] = {}
    if negatives is not None:
        alarms = _run_on_negatives(detectors, negatives, held_out=held_out)
        figures.update(false_alarm_rate(alarms[detector].found, level))
        figures["negatives_are"] = "not learnt from" if held_out else "all"
    if against:
        figures["against"] = _compared(
            detector, against, {name: answers.asked[name] for name in detectors}, matches, levels
        )
        if alarms:
            figures["against"].update(false_alarm_rate(alarms[against].found, levels[against][0]))
    write_json(directory / RESULT_NAME, figures)
    plot = plot_detector_curves({name: compute_curve(matches[name]) for name in detectors}, levels)
    atomic_write(directory / "detection.png", plot)
    return DetectionResult(directory, figures, answers.skipped)


def _run_on_negatives(
    detectors: Mapping[str, Detector], negatives: Path, *, held_out: bool
) -> Mapping[str, DetectorRun]:
    """Run the detectors on photos without a face, or only those that training does not use."""
    if held_out:
        return run_on_photos(
            detectors, negatives, wanted=lambda name: not is_training_negative(name)
        )
    return run_on_photos(detectors, negatives)


def _threshold(
    name: str, matches: Matches, preset: Preset, point: OperatingPoint, weights_dir: Path | None
) -> tuple[float, str]:
    tuned = tuned_threshold(name, preset, point, weights_dir)
    if tuned is not None:
        return tuned, f"tuned for {point.value}"
    best = choose_operating_points(compute_curve(matches))[point]
    return best, f"best for {point.value} on these photos"


def _times(asked: DetectorRun) -> dict[str, float]:
    seconds = np.array(asked.seconds)
    return {
        "seconds_per_image": float(seconds.mean()),
        "seconds_per_image_median": float(np.median(seconds)),
    }


def _compared(
    detector: str,
    against: str,
    asked: Mapping[str, DetectorRun],
    matches: Mapping[str, Matches],
    levels: Mapping[str, tuple[float, str]],
) -> dict[str, Any]:
    """The second detector's figures, and how the first differs from it on the same photos."""
    drawn = {
        name: bootstrap_metrics(
            *count_per_photo(matches[name], levels[name][0]), matches[name].faces
        )
        for name in (detector, against)
    }
    interval = percentile_interval(drawn[detector]["f1"] - drawn[against]["f1"])
    theirs = metrics_at(matches[against], levels[against][0])
    ours = metrics_at(matches[detector], levels[detector][0])
    ratios = np.array(asked[against].seconds) / np.array(asked[detector].seconds)
    return {
        "detector": against,
        "threshold": levels[against][0],
        **theirs,
        "ap": matches[against].ap,
        **_times(asked[against]),
        "f1_difference": ours["f1"] - theirs["f1"],
        "f1_difference_interval": list(interval),
        "times_as_fast": float(np.sum(asked[against].seconds) / np.sum(asked[detector].seconds)),
        "times_as_fast_median": float(np.median(ratios)),
    }
