"""In how many photos a face is found, and whether photos that lie on their side are turned upright.

``turned.json`` holds, for each preset, the share of photos in which a face is found; how often a
photo that is given upright or turned by a quarter, a half or three quarters is analyzed upright
(``upright_after``, by the degrees clockwise by which it was turned); and, for photos without a
face, how many false faces the whole analysis finds per 100, with and without trying other turns.
``cost`` compares the time to find and crop the faces of ordinary photos with and without the second
look and the turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.config import AnalyzerConfig, Preset
from core.detectors import DETECTORS
from core.detectors.tuning import find_tuned_threshold
from core.errors import DataError
from core.files import write_json
from core.pipeline import Analyzer
from core.types import RgbImage

from ..detector.photos import read_photos
from ..detector.train import is_training_negative
from ..evaluation.intervals import share_with_interval

TURNS = (0, 90, 180, 270)
"""Degrees clockwise by which a photo is turned before it is given."""
HARD = "hard_"
"""Prefix of pictures that show a face in some sense: statues, cartoons, animals' faces."""


def study_turned(
    photos: Path,
    directory: Path,
    *,
    negatives: Path | None = None,
    ordinary: Path | None = None,
    presets: Sequence[Preset] = tuple(Preset),
    sample: int = 400,
    weights_dir: Path | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> Mapping[str, Any]:
    """Measure upright ``photos`` with a face each; write turned.json and return its content.

    A face is searched for in all of them, ``sample`` of them, evenly spread, are turned as well.
    Of ``negatives``, photos without a face, those that the detectors learned from are left out.
    ``ordinary`` photos show what all this costs. DataError if no photo can be read.
    """
    skipped: list[str] = []
    images = list(read_photos(photos, skipped))
    if not images:
        raise DataError(f"No photo in {photos.name} can be read.", hint="Give photos with faces.")
    without = [] if negatives is None else list(read_photos(negatives, []))
    held_out = [image for image in without if not is_training_negative(image.name)]
    chosen = np.unique(np.linspace(0, len(images) - 1, min(sample, len(images))).astype(int))
    report: dict[str, Any] = {
        "schema_version": 1,
        "data": photos.parent.name if photos.stem == "photos" else photos.stem,
        "photos": len(images),
        "skipped": skipped,
        "turned_photos": len(chosen),
        "presets": {},
    }
    for preset in presets:
        progress(f"preset {preset.value} …")
        analyzer = Analyzer.from_config(AnalyzerConfig(preset=preset, weights_dir=weights_dir))
        found = np.array([bool(analyzer.detect(image)) for image in images])
        report["presets"][preset.value] = {
            "found": share_with_interval("share", int(found.sum()), len(found)),
            "missed": [image.name for image, hit in zip(images, found, strict=True) if not hit],
            "upright_after": {
                str(degrees): _measure_turned(analyzer, [images[i] for i in chosen], degrees)
                for degrees in TURNS
            },
            "negatives": _count_false_faces(analyzer, held_out),
            "cost": None if ordinary is None else _measure_cost(analyzer, ordinary),
        }
    write_json(directory / "turned.json", report)
    return report


def _measure_turned(
    analyzer: Analyzer, images: Iterable[RgbImage], degrees: int
) -> Mapping[str, Any]:
    """Return the share of ``images`` that are analyzed upright if given turned by ``degrees``."""
    upright = []
    for image in images:
        given = RgbImage(image.turn_to(degrees).pixels, image.name)
        found = analyzer.prepare(given)
        upright.append(bool(found.faces) and (found.answer.turned + degrees) % 360 == 0)
    return share_with_interval("share", sum(upright), len(upright))


def _count_false_faces(analyzer: Analyzer, images: Sequence[RgbImage]) -> dict[str, Any] | None:
    """Return the false faces per 100 of ``images``, by kind; None without images."""
    if not images:
        return None
    counts = {
        "as_given": np.array([len(analyzer.prepare(image, turn=0).faces) for image in images]),
        "turned": np.array([len(analyzer.prepare(image).faces) for image in images]),
    }
    hard = np.array([image.name.startswith(HARD) for image in images])
    return {
        kind: {
            "photos": int(part.sum()),
            **{f"per_100_{way}": 100 * float(faces[part].mean()) for way, faces in counts.items()},
        }
        for kind, part in (("ordinary", ~hard), ("statues and drawings", hard))
        if part.any()
    }


def _measure_cost(analyzer: Analyzer, photos: Path) -> dict[str, Any]:
    """Return median seconds for a photo, alternating with those without second look and turns."""
    config = analyzer.config
    name = config.chosen_detector
    threshold = find_tuned_threshold(
        name, config.preset, config.operating_point, config.weights_dir
    )
    plain = DETECTORS.get(name)(
        settings=config.settings,
        threshold=threshold,
        device=config.device,
        weights_dir=config.weights_dir,
    )
    ways: dict[str, Callable[[RgbImage], object]] = {
        "without": lambda image: analyzer.prepare(image, plain.detect(image)),
        "with": analyzer.prepare,
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for image in read_photos(photos, []):
        for prepare in ways.values():  # caches and frequencies are the same for both
            prepare(image)
        for way, prepare in ways.items():
            started = time.perf_counter()
            prepare(image)
            seconds[way].append(time.perf_counter() - started)
    medians = {way: float(np.median(each)) for way, each in seconds.items()}
    return {
        "data": photos.stem,
        "photos": len(seconds["with"]),
        "median_s": medians,
        "ratio": medians["with"] / medians["without"],
        "mean_ratio": float(np.mean(seconds["with"]) / np.mean(seconds["without"])),
    }
