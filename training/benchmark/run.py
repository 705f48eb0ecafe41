"""One run that measures everything, for this project and for the baseline."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.config import AnalyzerConfig, Preset, settings_for
from core.detectors import DETECTORS
from core.pipeline import Analyzer
from core.types import RgbImage

from ..evaluation.speed import describe_machine
from ..evaluation.timing import Work, summarize_seconds, time_in_turns
from .baseline import BaselinePipeline
from .photos import generate_photo, generate_photos, read_photos
from .processes import measure_batch, measure_peak_and_seconds, measure_startup

BASELINE = "obvious"
"""How reports name the baseline."""
BATCH_PHOTOS = 96
SIZES = (320, 640, 1024, 2048)
FACES = (0, 1, 4, 16, 40)


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """The report and where it was written, if at all."""

    report: Mapping[str, Any]
    """JSON-ready."""
    file: Path | None


def run_benchmark(
    photos: Path | None = None,
    *,
    out: Path | None = None,
    rounds: int = 5,
    most: int = 24,
    whole: bool = True,
    tell: Callable[[str], None] = lambda _: None,
) -> BenchmarkResult:
    """Compare times with the baseline on ``photos`` (a folder or zip) or on generated ones.

    ``most`` limits the photos. ``whole`` False leaves out what needs separate processes: batch,
    memory and start-up. DataError where no photo can be read.
    """
    images = read_photos(photos, most) if photos else generate_photos()
    tell("Loading")
    baseline = BaselinePipeline()
    analyzers = {name: _load_analyzer(name) for name in list_configurations()}
    report: dict[str, Any] = {
        "machine": describe_machine(),
        "photos": {
            "from": photos.name if photos else "generated",
            "count": len(images),
            "median_px": sorted(max(image.width, image.height) for image in images)[
                len(images) // 2
            ],
        },
        "default": get_default_configuration(),
        "rounds": rounds,
    }
    tell("Whole answers")
    times = time_in_turns(_make_answer_tasks(baseline, analyzers, images), rounds)
    report["whole"] = {name: summarize_seconds(seconds) for name, seconds in times.items()}
    report["ratios"] = _compute_ratios(report["whole"])
    tell("Stages")
    report["stages"] = _time_stages(baseline, analyzers, images, rounds)
    tell("Sizes and numbers of faces")
    report["by_size"] = {
        str(side): _time_answers(
            baseline, analyzers, [generate_photo((side, side * 3 // 4), 2)], rounds
        )
        for side in SIZES
    }
    report["by_faces"] = {
        str(count): _time_answers(baseline, analyzers, [generate_photo((1024, 768), count)], rounds)
        for count in FACES
    }
    if whole:
        tell("Batch")
        report["batch"] = {name: _time_batch(name, images) for name in analyzers}
        tell("Memory")
        report["peak_mb"] = {
            name: round(measure_peak_and_seconds(name, generate_photo((1024, 768), 2))[0])
            for name in (BASELINE, *analyzers)
        }
        tell("Starting")
        report["startup_s"] = measure_startup(generate_photo((1024, 768), 1))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return BenchmarkResult(report, out)


def list_configurations() -> tuple[str, ...]:
    """Return what is measured, each as ``detector/preset``, the default first.

    These are every preset with its own detector, and every detector with the usual preset.
    """
    presets = [f"{settings_for(preset).detector}/{preset}" for preset in Preset]
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


def _make_answer_tasks(
    baseline: BaselinePipeline, analyzers: Mapping[str, Analyzer], images: Sequence[RgbImage]
) -> dict[str, list[Work]]:
    tasks: dict[str, list[Work]] = {
        BASELINE: [partial(baseline.analyze, image.pixels) for image in images]
    }
    for name, analyzer in analyzers.items():
        tasks[name] = [partial(analyzer.analyze, image) for image in images]
    return tasks


def _time_answers(
    baseline: BaselinePipeline,
    analyzers: Mapping[str, Analyzer],
    images: Sequence[RgbImage],
    rounds: int,
) -> dict[str, float]:
    """Return the median milliseconds of an answer by configuration."""
    times = time_in_turns(_make_answer_tasks(baseline, analyzers, images), max(2, rounds // 2))
    return {name: summarize_seconds(seconds)["p50_ms"] for name, seconds in times.items()}


def _compute_ratios(answers: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return how many times faster than the baseline each configuration is, by mean times."""
    slow = answers[BASELINE]["mean_ms"]
    return {
        name: round(slow / times["mean_ms"], 2)
        for name, times in answers.items()
        if name != BASELINE
    }


def _time_stages(
    baseline: BaselinePipeline,
    analyzers: Mapping[str, Analyzer],
    images: Sequence[RgbImage],
    rounds: int,
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the times of detection, landmarks and classification by configuration."""
    boxes = [baseline.detect(image.pixels) for image in images]
    pairs = list(zip(images, boxes, strict=True))
    crops = [baseline.locate(image.pixels, found) for image, found in pairs]
    tasks: dict[str, dict[str, list[Work]]] = {
        "detect": {BASELINE: [partial(baseline.detect, image.pixels) for image in images]},
        "landmarks": {
            BASELINE: [partial(baseline.locate, image.pixels, found) for image, found in pairs]
        },
        "classify": {BASELINE: [partial(baseline.classify, found) for found in crops]},
    }
    for name, analyzer in analyzers.items():
        faces = [analyzer.detect(image) for image in images]
        prepared = [analyzer.prepare(image) for image in images]
        tasks["detect"][name] = [partial(analyzer.detect, image) for image in images]
        tasks["landmarks"][name] = [
            partial(analyzer.prepare, image, found)
            for image, found in zip(images, faces, strict=True)
        ]
        tasks["classify"][name] = [partial(analyzer.classify, [item]) for item in prepared]
    return {
        stage: {
            name: summarize_seconds(seconds)
            for name, seconds in time_in_turns(works, rounds).items()
        }
        for stage, works in tasks.items()
    }


def _time_batch(configuration: str, images: Sequence[RgbImage]) -> dict[str, float]:
    """Return photos and faces per second of `emotion batch` once it runs, with decoding."""
    times = measure_batch(_make_config(configuration), images, BATCH_PHOTOS)
    seconds, faces = times["each"], times["faces_a_photo"]
    return {"photos_per_s": round(1 / seconds, 1), "faces_per_s": round(faces / seconds, 1)}
