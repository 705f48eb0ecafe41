"""Measuring trained networks on one split of a data set."""

from __future__ import annotations

import csv
import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.calibration import Calibration
from core.catalog import ModelInfo, model_catalog
from core.classifiers import ARCHITECTURES, ENSEMBLE
from core.classifiers.ensemble import load_ensemble
from core.classifiers.network import load_network
from core.config import Device, Engine
from core.errors import ConfigError, UnknownComponent, WeightsMissing
from core.files import atomic_write, write_json
from core.labels import EMOTIONS
from core.types import Float32Array
from core.weights import SHIPPED_DIR, read_ensemble, read_manifest, spec_of

from ..data.classes import read_mapping
from ..data.faces import FaceSet, describe_data, find_faces, read_faces
from ..data.near_copies import mark_near_copies
from ..data.splits import Split
from ..data.votes import read_votes
from ..learning.export import update_ensemble, update_entry
from ..reporting.comparison import comparison_rows, pair_rows
from ..reporting.model_card import write_card
from ..reporting.plots import confusion_plot, pareto_plot, reliability_plot, risk_coverage_plot
from .figures import Subject, figures, recorded
from .paired import compare
from .speed import measure_speed

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured and where it lies."""

    directory: Path
    models: Mapping[str, Mapping[str, Any]]
    """The figures of ``metrics.json`` by model."""
    table: Sequence[tuple[str, ...]]
    """The models side by side: figures by name, one text for each model."""
    pairs: Sequence[tuple[str, ...]]
    """Every two models against each other, headings first; empty for a single one."""
    skipped: tuple[str, ...]
    cards: tuple[Path, ...]
    """Model cards written because the figures were recorded."""


def evaluate_models(
    sources: Sequence[Path],
    split: Split | str | None,
    directory: Path,
    *,
    models: Sequence[str] = (),
    weights_dir: Path | None = None,
    votes: Path | None = None,
    labels: Path | None = None,
    record: bool = False,
    speed: bool = False,
    engine: Engine | str = Engine.AUTO,
    device: Device | str = Device.AUTO,
) -> Evaluation:
    """Measure ``models`` (all trained ones if none is named) on ``split`` of ``sources``.

    Writes metrics.json, predictions.csv and plots into ``directory``. Where ``sources`` hold
    the training split too, the figures are given once more without near-copies of training
    faces. ``record`` puts the headlines into the manifest of ``weights_dir`` and writes the
    model cards anew. ``speed`` measures how long each model takes on this machine as well.
    ``split`` None takes all faces, for data that nothing was trained on; ``labels`` is a CSV that
    says what class folders of other names stand for.
    """
    split = Split(split) if split else None
    if record and (split is None or labels is not None):
        raise ConfigError(
            "Only figures on one split of the seven emotions are recorded with the weights.",
            hint="Leave out --record; metrics.json has the figures.",
        )
    folder = weights_dir or SHIPPED_DIR
    names = chosen_models(models, folder)
    faces = read_faces(sources, split, read_mapping(labels) if labels else None)
    known = read_votes(votes, faces.names) if votes else None
    subject = Subject(faces.labels, known, _seen(faces, sources, split))
    answers = dict(_answers(names, folder, faces, Engine(engine), Device(device)))
    measured: dict[str, dict[str, Any]] = {
        name: {
            **figures(answer.logits, answer.calibration, subject),
            "weights_sha256": answer.weights_sha256,
            "seconds": round(answer.seconds, 3),
        }
        for name, answer in answers.items()
        if name in names
    }
    shown = str(split) if split else "all"
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "data": describe_data(faces.names, sources),
        "files": [path.name for path in sources],
        "split": shown,
        "votes": votes.name if votes else None,
        "labels": labels.name if labels else None,
        "skipped": len(faces.skipped),
        "classes": list(EMOTIONS),
        "models": measured,
        "pairs": _pairs({name: answers[name] for name in names}, subject),
    }
    if speed:
        for name, taken in measure_speed(names, weights_dir=folder).items():
            measured[name]["speed"] = taken
    write_json(directory / "metrics.json", document)
    atomic_write(directory / "predictions.csv", _predictions(faces, answers, names).encode())
    _draw(directory, shown, measured)
    cards = _record(folder, document) if record else ()
    compared = as_recorded(document, folder)
    table, pairs = comparison_rows(compared), pair_rows(compared)
    return Evaluation(directory, measured, table, pairs, faces.skipped, cards)


def as_recorded(document: Mapping[str, Any], folder: Path) -> tuple[ModelInfo, ...]:
    """The models of a metrics.json, with what was measured in the place of what is on record."""
    return tuple(
        dataclasses.replace(
            info,
            metrics={Split.VALIDATION: recorded(document, info.name)},
            speed=document["models"][info.name].get("speed", info.speed),
        )
        for info in model_catalog(folder)
        if info.name in document["models"]
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    logits: Float32Array
    calibration: Calibration
    weights_sha256: Mapping[str, str]
    seconds: float


def chosen_models(models: Sequence[str], folder: Path) -> tuple[str, ...]:
    """``models``, or all trained ones if none is named; an error for one that cannot answer."""
    trained = read_manifest(folder)
    together = set(ARCHITECTURES) <= set(trained) and read_ensemble(folder) is not None
    for name in models:
        if name not in (*ARCHITECTURES, ENSEMBLE):
            raise UnknownComponent("model", name, (*ARCHITECTURES, ENSEMBLE))
        if name != ENSEMBLE:
            spec_of(name, folder)
    chosen = tuple(dict.fromkeys(models)) or (*trained, *((ENSEMBLE,) if together else ()))
    if not chosen:
        raise WeightsMissing(
            "No network is trained yet.",
            hint="Train one with `emotion train --model mobilenet_v2 --data DIR_OR_ZIP`.",
        )
    return chosen


def _seen(faces: FaceSet, sources: Sequence[Path], split: Split | None) -> NDArray[np.bool_] | None:
    """(N,) whether a face has a near copy in the training split; None where that is not at hand."""
    if split in (Split.TRAIN, None):
        return None
    training = find_faces(sources, Split.TRAIN)
    return mark_near_copies(faces.images, training.images) if len(training) else None


def _answers(
    names: Sequence[str], folder: Path, faces: FaceSet, engine: Engine, device: Device
) -> Iterator[tuple[str, _Answer]]:
    """The logits of each model, computed once; members of an asked-for ensemble come along."""
    ensemble = None
    if ENSEMBLE in names:
        ensemble = load_ensemble(ENSEMBLE, weights_dir=folder, engine=engine, device=device)
    alone = [name for name in names if name != ENSEMBLE]
    members = dict(ensemble.members) if ensemble else {}
    done: dict[str, _Answer] = {}
    for name in dict.fromkeys((*alone, *members)):
        network = members.get(name) or load_network(
            name, weights_dir=folder, engine=engine, device=device
        )
        started = time.perf_counter()
        logits = network.logits(faces.images)
        seconds = time.perf_counter() - started
        spec = network.spec
        done[name] = _Answer(logits, spec.calibration, {name: spec.sha256}, seconds)
        yield name, done[name]
    if ensemble is not None:
        parts = {name: done[name] for name in members}
        yield (
            ENSEMBLE,
            _Answer(
                ensemble.combined({name: part.logits for name, part in parts.items()}),
                ensemble.calibration,
                {name: sha for part in parts.values() for name, sha in part.weights_sha256.items()},
                sum(part.seconds for part in parts.values()),
            ),
        )


def _pairs(answers: Mapping[str, _Answer], subject: Subject) -> list[dict[str, Any]]:
    """Every two models held against each other on the same faces."""
    probabilities = {
        name: answer.calibration.probabilities(answer.logits) for name, answer in answers.items()
    }
    told = []
    for first, second in combinations(probabilities, 2):
        found = compare(probabilities[first], probabilities[second], subject.labels)
        told.append({"first": first, "second": second, **dataclasses.asdict(found)})
    return told


def _predictions(faces: FaceSet, answers: Mapping[str, _Answer], names: Sequence[str]) -> str:
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("model", "name", "label", "top", "certain", *EMOTIONS))
    for model in names:
        answer = answers[model]
        scores = answer.calibration.scores(answer.logits)
        for name, label, score in zip(faces.names, faces.labels, scores, strict=True):
            probabilities = (f"{each:.6f}" for each in score.probabilities)
            writer.writerow(
                (model, name, EMOTIONS[label], score.top, int(score.certain), *probabilities)
            )
    return buffer.getvalue()


def _draw(directory: Path, split: str, measured: Mapping[str, Mapping[str, Any]]) -> None:
    for name, told in measured.items():
        title = f"{name}, {split}, {told['n']:,} faces"
        reliability = reliability_plot(title, told["reliability_uncalibrated"], told["reliability"])
        atomic_write(directory / f"reliability_{name}.png", reliability)
        confusion = confusion_plot(title, told["confusion_matrix"])
        atomic_write(directory / f"confusion_{name}.png", confusion)
    curves = {name: told["risk_coverage"] for name, told in measured.items()}
    title = f"Answering only the most certain faces, {split}"
    atomic_write(directory / "risk_coverage.png", risk_coverage_plot(title, curves))
    timed = {
        name: (
            told["speed"]["engines"]["openvino"]["ms_per_face"],
            100 * told["accuracy"],
            [100 * each for each in told["accuracy_interval"]],
        )
        for name, told in measured.items()
        if "speed" in told
    }
    if timed:
        title = f"Accuracy against time on a CPU, {split}"
        atomic_write(directory / "pareto.png", pareto_plot(title, timed))


def _record(folder: Path, document: Mapping[str, Any]) -> tuple[Path, ...]:
    split = document["split"]
    specs, ensemble = read_manifest(folder), read_ensemble(folder)
    for name, told in document["models"].items():
        taken = {"speed": told["speed"]} if "speed" in told else {}
        entry = recorded(document, name)
        if name == ENSEMBLE:
            before = ensemble.metrics if ensemble else {}
            update_ensemble(folder, {"metrics": {**before, split: entry}, **taken})
            continue
        update_entry(folder, name, {"metrics": {**specs[name].metrics, split: entry}, **taken})
    # Each card shows all models: their figures must be on record before.
    return tuple(
        write_card(folder, name, document) for name in document["models"] if name != ENSEMBLE
    )
