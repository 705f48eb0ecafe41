"""Measuring whole photos, from file to answer: a face that is not found is an error.

``photos.json`` holds by model: ``n`` photos with a label, ``found`` of them with a face and their
share ``coverage``; ``accuracy`` over all of them and ``accuracy_of_found``, each with its interval;
``balanced_accuracy``, the mean over the emotions; ``certain``, the share answered as certain, and
``certain_accuracy``; ``per_class``. Photos in folders that name no emotion count for ``unlabelled``
only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.classifiers import member_names
from core.config import AnalyzerConfig, Device
from core.errors import DataError, InputError
from core.files import atomic_write, write_json
from core.labels import EMOTIONS, Emotion
from core.pipeline import Analyzer
from core.reading.reader import read_in_process
from core.types import EmotionScores, FaceAnalysis, RgbImage

from ..data.classes import ClassMapping, map_to_emotion, read_mapping
from ..data.image_files import iter_image_files
from .intervals import share_with_interval
from .predictions import format_predictions


@dataclass(frozen=True, slots=True, eq=False)
class _PhotoAnswer:
    name: str
    label: Emotion | None
    faces: int
    scores: Mapping[str, EmotionScores]
    """Scores of the largest face by model; empty if no face was found."""
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
        name: _load_analyzer(name, weights_dir, detector, Device(device))
        for name in _choose_analyzers(models)
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
        "schema_version": 1,
        "data": photos.name,
        "detector": answered[0].detector,
        "skipped": len(skipped),
        "unlabelled": {"photos": len(others), "faces": sum(each.faces for each in others)},
        "models": {name: _compute_figures(labelled, name) for name in models},
    }
    write_json(directory / "photos.json", report)
    rows = (
        ((model, each.name, each.label or "", each.faces), each.scores.get(model))
        for model in models
        for each in answered
    )
    table = format_predictions(("model", "name", "label", "faces"), rows)
    atomic_write(directory / "photos.csv", table.encode())
    return report, tuple(skipped)


def _load_analyzer(
    model: str, weights_dir: Path | None, detector: str | None, device: Device
) -> Analyzer:
    config = AnalyzerConfig(model=model, weights_dir=weights_dir, device=device)
    # Without a detector, the configuration chooses the default one.
    return Analyzer.from_config(replace(config, detector=detector) if detector else config)


def _choose_analyzers(models: Sequence[str]) -> tuple[str, ...]:
    """Return the models to load: an ensemble also gives its members' answers."""
    members = {name: set(member_names(name)) for name in models}
    return tuple(
        name for name in models if not any(members[name] < others for others in members.values())
    )


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
    scores: dict[str, EmotionScores] = {}
    count, detector = 0, ""
    for model, analyzer in analyzers.items():
        analysis = analyzer.analyze(image)
        faces, detector = analysis.faces, analysis.provenance.detector
        count = len(faces)
        if faces:
            largest: FaceAnalysis = max(faces, key=lambda each: each.face.box.area)
            scores |= {**largest.per_model, model: largest.emotions}
    return _PhotoAnswer(name, label, count, scores, detector)


def _compute_figures(photos: Sequence[_PhotoAnswer], model: str) -> dict[str, Any]:
    labels = np.array([EMOTIONS.index(each.label) for each in photos if each.label], np.int64)
    found = np.array([each.faces > 0 for each in photos])
    right = np.array([each.faces > 0 and each.scores[model].top == each.label for each in photos])
    certain = np.array([each.faces > 0 and each.scores[model].certain for each in photos])
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
        "balanced_accuracy": float(
            np.mean([row["right"] / row["n"] for row in per_class.values()])
        ),
        **share_with_interval("certain", int(certain.sum()), len(photos)),
        **share_with_interval("certain_accuracy", int((right & certain).sum()), int(certain.sum())),
        "per_class": per_class,
    }
