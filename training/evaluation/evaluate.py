"""Measuring trained networks on one split of a data set."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.calibration import Calibration, blend_heads
from core.classifiers import BUILT_IN
from core.classifiers.model import load_trained_models
from core.config import Device, Engine
from core.errors import UnknownComponent, WeightsMissing
from core.files import atomic_write, write_json
from core.labels import EMOTIONS, Reading
from core.types import Float32Array
from core.weights import SHIPPED_DIR, read_models, require_model

from ..data.classes import read_mapping
from ..data.faces import FaceSet, find_faces, read_faces
from ..data.near_copies import mark_near_copies
from ..data.splits import Split, describe_data
from ..data.votes import read_votes
from ..learning.loader import VOTES_TO_COUNT
from .crowd import score_against_crowd
from .metrics import Probabilities
from .model_metrics import GroundTruth, compute_metrics
from .paired import compare_models, compute_mean_difference
from .people_metrics import compute_people_metrics
from .predictions import format_predictions
from .speed import measure_speed

SCHEMA_VERSION = 1


def measure_models(
    sources: Sequence[Path],
    split: Split | None,
    directory: Path,
    *,
    models: Sequence[str] = (),
    weights_dir: Path | None = None,
    votes: Path | None = None,
    labels: Path | None = None,
    speed: bool = False,
    engine: Engine = Engine.AUTO,
    device: Device = Device.AUTO,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Measure ``models`` and write metrics.json and predictions.csv into ``directory``.

    No ``models`` means all trained ones of ``weights_dir``. ``votes`` is FER+'s CSV, ``labels`` a
    CSV that says what class folders of other names stand for, and ``split`` None takes all faces.
    Where ``sources`` hold the training split too, the figures are given once more without
    near-copies of training faces. ``speed`` measures how long each model takes on this machine.
    Returns the content of metrics.json, and the pictures that were skipped.
    """
    folder = weights_dir or SHIPPED_DIR
    names = choose_models(models, folder)
    faces = read_faces(sources, split, read_mapping(labels) if labels else None)
    ground_truth = GroundTruth(
        faces.labels,
        read_votes(votes, faces.names) if votes else None,
        _mark_seen(faces, sources, split),
    )
    answers = _collect_answers(names, folder, faces, engine, device)
    measured: dict[str, dict[str, Any]] = {
        name: {
            **compute_metrics(answer.label_logits, answer.label_calibration, ground_truth),
            "people": _measure_people(answer, ground_truth),
            "weights_sha256": answer.weights_sha256,
            "seconds": round(answer.seconds, 3),
        }
        for name, answer in answers.items()
    }
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "data": describe_data(faces.names, sources),
        "files": [path.name for path in sources],
        "split": str(split) if split else "all",
        "votes": votes.name if votes else None,
        "labels": labels.name if labels else None,
        "skipped": len(faces.skipped),
        "classes": list(EMOTIONS),
        "models": measured,
        "pairs": _compare_pairs({name: answers[name] for name in names}, ground_truth),
    }
    if speed:
        for name, taken in measure_speed(names, weights_dir=folder).items():
            measured[name]["speed"] = taken
    write_json(directory / "metrics.json", document)
    atomic_write(directory / "predictions.csv", _format_answers(faces, answers, names).encode())
    return document, faces.skipped


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What one model says of all faces, and the seconds it took."""

    logits: Float32Array
    calibrations: Mapping[Reading, Calibration]
    weights_sha256: Mapping[str, str]
    seconds: float

    @property
    def label_logits(self) -> Float32Array:
        """(N, 7), those of the label head."""
        return blend_heads(self.logits, crowd_share=0)

    @property
    def label_calibration(self) -> Calibration:
        return self.calibrations[Reading.FER2013]

    def compute_probabilities(self, reading: Reading) -> Probabilities:
        """Return the calibrated (N, 7) probabilities of a reading."""
        return self.calibrations[reading].probabilities(self.logits)


def _measure_people(answer: _Answer, ground_truth: GroundTruth) -> dict[str, Any] | None:
    if ground_truth.votes is None:
        return None
    calibration = answer.calibrations[Reading.PEOPLE]
    return compute_people_metrics(answer.logits, calibration, ground_truth.votes)


def choose_models(models: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Return ``models``, or all trained ones if none is named; raise if one is missing."""
    available = read_models(folder)
    for name in models:
        if name not in BUILT_IN:
            raise UnknownComponent("model", name, BUILT_IN)
        require_model(name, available)
    chosen = tuple(dict.fromkeys(models)) or tuple(available)
    if not chosen:
        raise WeightsMissing(
            "No network is trained yet.",
            hint="Train one with `emotion train --model mobilenet_v2 --data DIR_OR_ZIP`.",
        )
    return chosen


def _mark_seen(
    faces: FaceSet, sources: Sequence[Path], split: Split | None
) -> NDArray[np.bool_] | None:
    """Return (N,) whether a face has a near-copy in the training split; None if that is unknown."""
    if split in (Split.TRAIN, None):
        return None
    training = find_faces(sources, Split.TRAIN)
    return mark_near_copies(faces.images, training.images) if len(training) else None


def _collect_answers(
    names: Sequence[str], folder: Path, faces: FaceSet, engine: Engine, device: Device
) -> dict[str, _Answer]:
    """Return each model's answers, single networks first; every network runs once."""
    models = load_trained_models(names, weights_dir=folder, engine=engine, device=device)
    logits: dict[str, Float32Array] = {}
    seconds: dict[str, float] = {}
    ordered = sorted(models, key=lambda name: len(models[name].members))
    for name in ordered:
        for member, network in models[name].members.items():
            if member not in logits:
                started = time.perf_counter()
                logits[member] = network.classifier.logits(faces.images)
                seconds[member] = time.perf_counter() - started
    return {
        name: _Answer(
            models[name].combine({member: logits[member] for member in models[name].members}),
            models[name].calibrations,
            dict(models[name].weights_sha256),
            sum(seconds[member] for member in models[name].members),
        )
        for name in ordered
    }


def _compare_pairs(
    answers: Mapping[str, _Answer], ground_truth: GroundTruth
) -> list[dict[str, Any]]:
    """Compare every two models on the same faces, by labels and by what the crowd saw."""
    labels, people = (
        {name: answer.compute_probabilities(reading) for name, answer in answers.items()}
        for reading in (Reading.FER2013, Reading.PEOPLE)
    )
    agreement = _find_agreement(people, ground_truth)
    result = []
    for first, second in combinations(answers, 2):
        found = compare_models(labels[first], labels[second], ground_truth.labels)
        pair = {"first": first, "second": second, **dataclasses.asdict(found)}
        if agreement:
            difference = compute_mean_difference(agreement[first], agreement[second])
            pair["people"] = {"agreement": dataclasses.asdict(difference)}
        result.append(pair)
    return result


def _find_agreement(
    people: Mapping[str, Probabilities], ground_truth: GroundTruth
) -> dict[str, NDArray[np.float64]]:
    """Return by model whether each voted face's answer is the crowd's; empty without votes."""
    if ground_truth.votes is None:
        return {}
    shares = ground_truth.votes.shares(VOTES_TO_COUNT).astype(np.float64)
    voted = shares.sum(axis=1) > 0
    if not voted.any():
        return {}
    return {
        name: score_against_crowd(rows[voted], shares[voted])["agreement"]
        for name, rows in people.items()
    }


def _format_answers(faces: FaceSet, answers: Mapping[str, _Answer], names: Sequence[str]) -> str:
    rows = (
        ((model, reading, name, EMOTIONS[label]), scores)
        for model in names
        for reading in Reading
        for name, label, scores in zip(
            faces.names,
            faces.labels,
            answers[model].calibrations[reading].scores(answers[model].logits, reading),
            strict=True,
        )
    )
    return format_predictions(("model", "reading", "name", "label"), rows)
