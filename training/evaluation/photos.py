"""Measuring whole photos, from file to answer: a face that is not found is an error.

``photos.json`` holds by model and reading: ``n`` photos with a label, ``found`` of them with a face
and their share ``coverage``; ``accuracy`` over all of them and ``accuracy_of_found``, each with its
interval; ``accuracy_in_life``, that of the found faces if each emotion were as frequent as in
natural photos; ``balanced_accuracy``, the mean over the emotions; ``certain``, the share of certain
answers, and ``certain_accuracy``; ``unreadable``, the faces whose answers are never certain;
``per_class``. Photos in folders that name no emotion count for ``unlabelled`` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.config import AnalyzerConfig, Device
from core.errors import DataError, InputError
from core.files import atomic_write, write_json
from core.labels import EMOTIONS, Emotion, Reading
from core.pipeline import Analyzer
from core.reading.reader import read_in_process
from core.types import EmotionScores, FaceAnalysis, RgbImage

from ..data.classes import ClassMapping, map_to_emotion, read_mapping
from ..data.image_files import iter_image_files
from .intervals import RESAMPLES, percentile_interval, share_with_interval
from .metrics import Labels
from .natural_photos import weigh_by_natural_shares
from .predictions import format_predictions


@dataclass(frozen=True, slots=True, eq=False)
class _PhotoAnswer:
    name: str
    label: Emotion | None
    faces: int
    scores: Mapping[tuple[str, Reading], EmotionScores]
    """Scores of the largest face by model and reading; empty if no face was found."""
    detector: str


def evaluate_photos(
    photos: Path,
    directory: Path,
    *,
    models: Sequence[str],
    weights_dir: Path | None = None,
    detector: str | None = None,
    labels: Path | None = None,
    device: Device | str = Device.AUTO,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Measure ``models`` on whole ``photos``, a folder or zip of folders named by emotion.

    The largest face counts as the answer. ``labels`` is a CSV with the emotions of folders that
    have other names; without it their photos have no label. Writes photos.json and photos.csv.
    Returns the content of the former, and the photos that could not be read, each with the reason.
    DataError if no photo has a label.
    """
    analyzers = {
        name: _load_analyzer(name, weights_dir, detector, Device(device)) for name in models
    }
    classes = read_mapping(labels) if labels else None
    skipped: list[str] = []
    answered: list[_PhotoAnswer] = []
    for path, read in iter_image_files(photos):
        label = _find_label(path.parent.name, classes)
        try:
            image = read_in_process(read(), name=path.name)
        except InputError as error:
            skipped.append(f"{path}: {error.message}")
            continue
        answered.append(_analyze_photo(str(path), label, image, analyzers))
    labelled = [each for each in answered if each.label is not None]
    if not labelled:
        raise DataError(
            f"No photo in {photos.name} lies in a folder named by an emotion.",
            hint="Put them into folders named " + ", ".join(EMOTIONS) + ", or give --labels.",
        )
    others = [each for each in answered if each.label is None]
    report = {
        "schema_version": 2,
        "data": photos.name,
        "detector": answered[0].detector,
        "skipped": len(skipped),
        "unlabelled": {"photos": len(others), "faces": sum(each.faces for each in others)},
        "models": {
            name: {str(reading): _compute_figures(labelled, name, reading) for reading in Reading}
            for name in models
        },
    }
    write_json(directory / "photos.json", report)
    rows = (
        (
            (model, reading, each.name, each.label or "", each.faces),
            each.scores.get((model, reading)),
        )
        for model in models
        for reading in Reading
        for each in answered
    )
    table = format_predictions(("model", "reading", "name", "label", "faces"), rows)
    atomic_write(directory / "photos.csv", table.encode())
    return report, tuple(skipped)


def _load_analyzer(
    model: str, weights_dir: Path | None, detector: str | None, device: Device
) -> Analyzer:
    config = AnalyzerConfig(model=model, weights_dir=weights_dir, device=device)
    # Without a detector, the configuration chooses the default one.
    return Analyzer.from_config(replace(config, detector=detector) if detector else config)


def _find_label(folder: str, classes: ClassMapping | None) -> Emotion | None:
    try:
        return map_to_emotion(folder, classes)
    except DataError:
        if classes is not None:
            raise
        return None


def _analyze_photo(
    name: str, label: Emotion | None, image: RgbImage, analyzers: Mapping[str, Analyzer]
) -> _PhotoAnswer:
    # Faces are found and cut out once, for all models.
    prepared = next(iter(analyzers.values())).prepare(image)
    scores: dict[tuple[str, Reading], EmotionScores] = {}
    for model, analyzer in analyzers.items():
        (analysis,) = analyzer.classify([prepared])
        if analysis.faces:
            largest: FaceAnalysis = max(analysis.faces, key=lambda each: each.face.box.area)
            scores |= {(model, reading): each for reading, each in largest.readings.items()}
    return _PhotoAnswer(name, label, len(prepared.faces), scores, analysis.provenance.detector)


def _compute_figures(
    photos: Sequence[_PhotoAnswer], model: str, reading: Reading
) -> dict[str, Any]:
    key = model, reading
    labels = np.array([EMOTIONS.index(each.label) for each in photos if each.label], np.int64)
    found = np.array([each.faces > 0 for each in photos])
    right = np.array([each.faces > 0 and each.scores[key].top == each.label for each in photos])
    certain = np.array([each.faces > 0 and each.scores[key].certain for each in photos])
    per_class = {
        str(EMOTIONS[label]): {
            "n": int((labels == label).sum()),
            "found": int(found[labels == label].sum()),
            "right": int(right[labels == label].sum()),
        }
        for label in np.unique(labels)
    }
    return {
        "n": len(photos),
        "found": int(found.sum()),
        **share_with_interval("coverage", int(found.sum()), len(photos)),
        **share_with_interval("accuracy", int(right.sum()), len(photos)),
        **share_with_interval("accuracy_of_found", int(right.sum()), int(found.sum())),
        **_weigh_accuracy(labels[found], right[found]),
        "balanced_accuracy": float(
            np.mean([row["right"] / row["n"] for row in per_class.values()])
        ),
        **share_with_interval("certain", int(certain.sum()), len(photos)),
        **share_with_interval("certain_accuracy", int((right & certain).sum()), int(certain.sum())),
        "unreadable": _count_unreadable(
            [each.scores[key] for each in photos if each.faces], right[found]
        ),
        "per_class": per_class,
    }


def _weigh_accuracy(labels: Labels, right: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the accuracy with each emotion as frequent as in natural photos, and its interval."""
    name = "accuracy_in_life"
    if not len(labels):
        return {name: None, f"{name}_interval": None}
    weights = weigh_by_natural_shares(labels)
    draws = np.random.default_rng(0).integers(0, len(labels), size=(RESAMPLES, len(labels)))
    drawn = (weights * right)[draws].sum(axis=1) / weights[draws].sum(axis=1)
    return {
        name: float(weights @ right),
        f"{name}_interval": list(percentile_interval(drawn)),
    }


def _count_unreadable(scores: Sequence[EmotionScores], right: NDArray[np.bool_]) -> dict[str, int]:
    """Count the unreadable faces, and what would be certain answers if they were readable."""
    unreadable = np.array([each.unreadable is not None for each in scores], bool)
    would = np.array([replace(each, unreadable=None).certain for each in scores], bool)
    withheld = unreadable & would
    return {
        "faces": int(unreadable.sum()),
        "withheld": int(withheld.sum()),
        "withheld_wrong": int((withheld & ~right).sum()),
    }
