"""How good a detector is, measured on photos with boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from core.config import Device, OperatingPoint, Preset, get_settings
from core.detectors.tuning import find_tuned_threshold
from core.errors import ConfigError
from core.files import atomic_write, write_json

from ..evaluation.intervals import percentile_interval
from ..evaluation.speed import describe_machine
from ..reporting.plots import COLOURS, GRID, STYLES, encode_png
from .matching import MATCH_IOU, Matches
from .measure import (
    DetectorRun,
    Progress,
    load_for_measuring,
    run_on_annotated,
    run_on_negatives,
)
from .metrics import (
    bootstrap_metrics,
    choose_operating_points,
    compute_curve,
    compute_false_alarm_rate,
    compute_metrics_at,
    compute_metrics_by_size,
    count_per_photo,
)

RESULT_NAME = "detection.json"


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
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Measure ``detector`` on the photos of a COCO file and write ``detection.json`` and plots.

    Figures are those at ``threshold``, else at the tuned operating point, else at the threshold
    that is best on these photos, which makes them slightly too good. Faces with a shorter side
    below ``min_size_px`` do not count. ``negatives`` are photos without a face; with ``held_out``
    those that training learns from are left out. ``against`` measures a second detector on the
    same photos in turn, for its speed and the difference in F1; ``facenet-pytorch`` is MTCNN as
    its library runs it. Returns the content of the JSON file, and the photos that were skipped.
    """
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise ConfigError(
            f"The threshold must lie between 0 and 1, got {threshold:g}.",
            hint="Leave it out to take the tuned one.",
        )
    preset, point = Preset(preset), OperatingPoint(operating_point)
    detectors = {
        name: load_for_measuring(name, preset, device=Device(device), weights_dir=weights_dir)
        for name in dict.fromkeys((detector, against or detector))
    }
    answers = run_on_annotated(detectors, images, boxes, progress)
    matches = {name: answers.match(name, min_size_px) for name in detectors}
    levels = {
        name: _choose_threshold(name, matches[name], preset, point, weights_dir)
        for name in detectors
    }
    if threshold is not None:
        levels[detector] = (threshold, "given")
    level, chosen = levels[detector]
    figures: dict[str, Any] = {
        "detector": detector,
        "preset": preset.value,
        "working_px": get_settings(preset, detector).working_px,
        "min_face_px": get_settings(preset, detector).min_face_px,
        "data": boxes.stem,
        "photos": len(answers.truth),
        "faces": int(matches[detector].faces.sum()),
        "min_size_px": min_size_px,
        "iou": MATCH_IOU,
        "threshold": level,
        "threshold_is": chosen,
        **compute_metrics_at(matches[detector], level),
        "ap": matches[detector].ap,
        "by_size": compute_metrics_by_size(answers.runs[detector].found, answers.truth, level),
        "curve": compute_curve(matches[detector]),
        "machine": describe_machine(),
        **_summarize_times(answers.runs[detector]),
    }
    alarms = run_on_negatives(detectors, negatives, held_out=held_out)
    if alarms:
        figures.update(compute_false_alarm_rate(alarms[detector].found, level))
        figures["negatives_are"] = "not learnt from" if held_out else "all"
    if against:
        figures["against"] = _compare_detectors(detector, against, answers.runs, matches, levels)
        if alarms:
            figures["against"].update(
                compute_false_alarm_rate(alarms[against].found, levels[against][0])
            )
    write_json(directory / RESULT_NAME, figures)
    plot = _plot_curves({name: compute_curve(matches[name]) for name in detectors}, levels)
    atomic_write(directory / "detection.png", plot)
    return figures, answers.skipped


def _choose_threshold(
    name: str, matches: Matches, preset: Preset, point: OperatingPoint, weights_dir: Path | None
) -> tuple[float, str]:
    tuned = find_tuned_threshold(name, preset, point, weights_dir)
    if tuned is not None:
        return tuned, f"tuned for {point.value}"
    best = choose_operating_points(compute_curve(matches))[point]
    return best, f"best for {point.value} on these photos"


def _summarize_times(run: DetectorRun) -> dict[str, float]:
    seconds = np.array(run.seconds)
    return {
        "seconds_per_image": float(seconds.mean()),
        "seconds_per_image_median": float(np.median(seconds)),
    }


def _compare_detectors(
    detector: str,
    against: str,
    runs: Mapping[str, DetectorRun],
    matches: Mapping[str, Matches],
    levels: Mapping[str, tuple[float, str]],
) -> dict[str, Any]:
    """Return the second detector's figures, and how the first differs on the same photos."""
    drawn = [
        bootstrap_metrics(*count_per_photo(matches[name], levels[name][0]), matches[name].faces)
        for name in (detector, against)
    ]
    interval = percentile_interval(drawn[0]["f1"] - drawn[1]["f1"])
    theirs = compute_metrics_at(matches[against], levels[against][0])
    ours = compute_metrics_at(matches[detector], levels[detector][0])
    own_s, other_s = np.array(runs[detector].seconds), np.array(runs[against].seconds)
    return {
        "detector": against,
        "threshold": levels[against][0],
        **theirs,
        "ap": matches[against].ap,
        **_summarize_times(runs[against]),
        "f1_difference": ours["f1"] - theirs["f1"],
        "f1_difference_interval": list(interval),
        "times_as_fast": float(other_s.sum() / own_s.sum()),
        "times_as_fast_median": float(np.median(other_s / own_s)),
    }


def _plot_curves(
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
