"""One run that measures everything, for this project and for the baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core.config import AnalyzerConfig, Preset, get_settings
from core.detectors import DETECTORS
from core.files import write_json
from core.pipeline import Analyzer
from core.types import RgbImage

from ..evaluation.speed import Work, describe_machine, summarize_seconds, time_in_turns
from .baseline import BaselinePipeline
from .photos import generate_photo, generate_photos, read_photos
from .processes import measure_batch, measure_peak_and_seconds, measure_startup

BASELINE = "obvious"
"""How reports name the baseline."""
BATCH_PHOTOS = 96
SIZES = (320, 640, 1024, 2048)
FACES = (0, 1, 4, 16, 40)


Pipelines = Mapping[str, Any]
"""By name the baseline and each configuration's analyzer, which have the same methods."""


def run_benchmark(
    photos: Path | None = None,
    *,
    out: Path | None = None,
    rounds: int = 5,
    most: int = 24,
    whole: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Compare times with the baseline on ``photos`` (a folder or zip) or on generated ones.

    Returns the report, JSON-ready, and writes it to ``out``. ``most`` limits the photos. ``whole``
    False leaves out what needs separate processes: batch, memory and start-up. DataError where no
    photo can be read.
    """
    images = read_photos(photos, most) if photos else generate_photos()
    progress("Loading")
    names = list_configurations()
    pipelines = {
        BASELINE: BaselinePipeline(),
        **{name: _load_analyzer(name) for name in names},
    }
    sides = sorted(max(image.width, image.height) for image in images)
    report: dict[str, Any] = {
        "machine": describe_machine(),
        "photos": {
            "from": photos.name if photos else "generated",
            "count": len(images),
            "median_px": sides[len(sides) // 2],
        },
        "default": get_default_configuration(),
        "rounds": rounds,
    }
    progress("Whole answers")
    report["whole"] = _time_tasks(_make_answer_tasks(pipelines, images), rounds)
    report["ratios"] = _compute_ratios(report["whole"])
    progress("Stages")
    report["stages"] = _time_stages(pipelines, images, rounds)
    progress("Sizes and numbers of faces")
    by_size = {side: generate_photo((side, side * 3 // 4), 2) for side in SIZES}
    by_faces = {count: generate_photo((1024, 768), count) for count in FACES}
    for kind, generated in (("by_size", by_size), ("by_faces", by_faces)):
        report[kind] = {}
        for size, image in generated.items():
            times = _time_tasks(_make_answer_tasks(pipelines, [image]), max(2, rounds // 2))
            report[kind][str(size)] = {name: each["p50_ms"] for name, each in times.items()}
    if whole:
        progress("Batch")
        report["batch"] = {name: _time_batch(name, images) for name in names}
        progress("Memory")
        report["peak_mb"] = {
            name: round(measure_peak_and_seconds(name, generate_photo((1024, 768), 2))[0])
            for name in pipelines
        }
        progress("Starting")
        report["startup_s"] = measure_startup(generate_photo((1024, 768), 1))
    if out is not None:
        write_json(out, report)
    return report


def list_configurations() -> tuple[str, ...]:
    """Return what is measured, each as ``detector/preset``, the default first.

    These are every preset with its own detector, and every detector with the usual preset.
    """
    presets = [f"{get_settings(preset).detector}/{preset}" for preset in Preset]
    detectors = [f"{name}/{Preset.BALANCED}" for name in DETECTORS.names()]
    return tuple(dict.fromkeys([get_default_configuration(), *presets, *detectors]))


def get_default_configuration() -> str:
    """Return ``detector/preset`` of an analyzer with default settings."""
    config = AnalyzerConfig()
    return f"{config.chosen_detector}/{config.preset}"


def _load_analyzer(configuration: str) -> Analyzer:
    return Analyzer.from_config(_make_config(configuration))


def _make_config(configuration: str) -> AnalyzerConfig:
    detector, preset = configuration.split("/")
    return AnalyzerConfig(detector=detector, preset=Preset(preset))


def _make_answer_tasks(pipelines: Pipelines, images: Sequence[RgbImage]) -> dict[str, list[Work]]:
    return {
        name: [partial(pipeline.analyze, image) for image in images]
        for name, pipeline in pipelines.items()
    }


def _time_tasks(tasks: Mapping[str, list[Work]], rounds: int) -> dict[str, dict[str, float]]:
    """Return the times of each pipeline's tasks."""
    times = time_in_turns(tasks, rounds)
    return {name: summarize_seconds(seconds) for name, seconds in times.items()}


def _compute_ratios(answers: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return how many times faster than the baseline each configuration is, by mean times."""
    slow = answers[BASELINE]["mean_ms"]
    return {
        name: round(slow / times["mean_ms"], 2)
        for name, times in answers.items()
        if name != BASELINE
    }


def _time_stages(
    pipelines: Pipelines, images: Sequence[RgbImage], rounds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the times of detection, landmarks and classification by pipeline."""
    tasks: dict[str, dict[str, list[Work]]] = {"detect": {}, "landmarks": {}, "classify": {}}
    for name, pipeline in pipelines.items():
        faces = [pipeline.detect(image) for image in images]
        pairs = list(zip(images, faces, strict=True))
        prepared = [pipeline.prepare(image, found) for image, found in pairs]
        tasks["detect"][name] = [partial(pipeline.detect, image) for image in images]
        tasks["landmarks"][name] = [partial(pipeline.prepare, *pair) for pair in pairs]
        tasks["classify"][name] = [partial(pipeline.classify, [item]) for item in prepared]
    return {stage: _time_tasks(works, rounds) for stage, works in tasks.items()}


def _time_batch(configuration: str, images: Sequence[RgbImage]) -> dict[str, float]:
    """Return photos and faces per second of `emotion batch` once it runs, with decoding."""
    times = measure_batch(_make_config(configuration), images, BATCH_PHOTOS)
    seconds, faces = times["each"], times["faces_a_photo"]
    return {"photos_per_s": round(1 / seconds, 1), "faces_per_s": round(faces / seconds, 1)}
