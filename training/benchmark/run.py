"""One run that measures everything, the obvious implementation beside ours."""

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

from ..evaluation.speed import machine_told
from ..evaluation.timing import Work, in_turns, summary
from .baseline import BaselinePipeline
from .photos import generate_photos, generated, read_photos
from .processes import batch_seconds, peak_and_seconds, startup

OBVIOUS = "obvious"
BATCH_PHOTOS = 96
SIZES = (320, 640, 1024, 2048)
FACES = (0, 1, 4, 16, 40)


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured."""

    report: Mapping[str, Any]
    """Everything, as plain data for JSON."""
    file: Path | None


def run_benchmark(
    photos: Path | None = None,
    *,
    out: Path | None = None,
    rounds: int = 5,
    most: int = 24,
    whole: bool = True,
    tell: Callable[[str], None] = lambda _: None,
) -> Bench:
    """Times against the obvious implementation, on ``photos`` (a folder or zip) or generated ones.

    ``whole`` False leaves out what needs processes of its own: batch, memory and starting.
    DataError where no photo can be read.
    """
    images = read_photos(photos, most) if photos else generate_photos()
    tell("Loading")
    obvious = BaselinePipeline()
    ours = {way: _analyzer(way) for way in ways()}
    report: dict[str, Any] = {
        "machine": machine_told(),
        "photos": {
            "from": photos.name if photos else "generated",
            "count": len(images),
            "median_px": sorted(max(each.width, each.height) for each in images)[len(images) // 2],
        },
        "default": get_default_configuration(),
        "rounds": rounds,
    }
    tell("Whole answers")
    taken = in_turns(_whole(obvious, ours, images), rounds)
    report["whole"] = {way: summary(each) for way, each in taken.items()}
    report["ratios"] = _ratios(report["whole"])
    tell("Stages")
    report["stages"] = _stages(obvious, ours, images, rounds)
    tell("Sizes and numbers of faces")
    report["by_size"] = {
        str(side): _medians(obvious, ours, [generated((side, side * 3 // 4), 2)], rounds)
        for side in SIZES
    }
    report["by_faces"] = {
        str(count): _medians(obvious, ours, [generated((1024, 768), count)], rounds)
        for count in FACES
    }
    if whole:
        tell("Batch")
        report["batch"] = {way: _batch(way, images) for way in ours}
        tell("Memory")
        report["peak_mb"] = {
            way: round(peak_and_seconds(way, generated((1024, 768), 2))[0])
            for way in (OBVIOUS, *ours)
        }
        tell("Starting")
        report["startup_s"] = startup(generated((1024, 768), 1))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return Bench(report, out)


def ways() -> tuple[str, ...]:
    """Detector and preset of each way that is measured.

    The default first, then every preset's own detector, and every detector with the usual preset.
    """
    presets = [f"{settings_for(preset).detector}/{preset}" for preset in Preset]
    detectors = [f"{name}/{Preset.BALANCED}" for name in DETECTORS.names()]
    return tuple(dict.fromkeys([get_default_configuration(), *presets, *detectors]))


def get_default_configuration() -> str:
    """Detector and preset of an analyzer that is asked for nothing."""
    config = AnalyzerConfig()
    return f"{config.chosen_detector}/{config.preset}"


def _analyzer(way: str) -> Analyzer:
    detector, preset = way.split("/")
    return Analyzer.from_config(AnalyzerConfig(detector=detector, preset=Preset(preset)))


def _whole(
    obvious: BaselinePipeline, ours: Mapping[str, Analyzer], images: Sequence[RgbImage]
) -> dict[str, list[Work]]:
    works: dict[str, list[Work]] = {
        OBVIOUS: [partial(obvious.analyze, each.pixels) for each in images]
    }
    for way, analyzer in ours.items():
        works[way] = [partial(analyzer.analyze, each) for each in images]
    return works


def _medians(
    obvious: BaselinePipeline, ours: Mapping[str, Analyzer], images: Sequence[RgbImage], rounds: int
) -> dict[str, float]:
    taken = in_turns(_whole(obvious, ours, images), max(2, rounds // 2))
    return {way: summary(each)["p50_ms"] for way, each in taken.items()}


def _ratios(whole: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """How many times faster each way is, by the mean over all photos."""
    slow = whole[OBVIOUS]["mean_ms"]
    return {way: round(slow / each["mean_ms"], 2) for way, each in whole.items() if way != OBVIOUS}


def _stages(
    obvious: BaselinePipeline, ours: Mapping[str, Analyzer], images: Sequence[RgbImage], rounds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Milliseconds of finding faces, landmarks and classifying, by way."""
    found = [obvious.detect(each.pixels) for each in images]
    crops = [obvious.locate(each.pixels, boxes) for each, boxes in zip(images, found, strict=True)]
    works: dict[str, dict[str, list[Work]]] = {
        "detect": {OBVIOUS: [partial(obvious.detect, each.pixels) for each in images]},
        "landmarks": {
            OBVIOUS: [
                partial(obvious.locate, each.pixels, boxes)
                for each, boxes in zip(images, found, strict=True)
            ]
        },
        "classify": {OBVIOUS: [partial(obvious.classify, each) for each in crops]},
    }
    for way, analyzer in ours.items():
        faces = [analyzer.detect(each) for each in images]
        examined = [analyzer.prepare(each) for each in images]
        works["detect"][way] = [partial(analyzer.detect, each) for each in images]
        works["landmarks"][way] = [
            partial(analyzer.prepare, each, some) for each, some in zip(images, faces, strict=True)
        ]
        works["classify"][way] = [partial(analyzer.classify, [each]) for each in examined]
    return {
        stage: {way: summary(each) for way, each in in_turns(some, rounds).items()}
        for stage, some in works.items()
    }


def _batch(way: str, images: Sequence[RgbImage]) -> dict[str, float]:
    """Photos and faces a second of `emotion batch` once it runs, decoding included."""
    detector, preset = way.split("/")
    config = AnalyzerConfig(detector=detector, preset=Preset(preset))
    told = batch_seconds(config, images, BATCH_PHOTOS)
    each, faces = told["each"], told["faces_a_photo"]
    return {"photos_per_s": round(1 / each, 1), "faces_per_s": round(faces / each, 1)}
