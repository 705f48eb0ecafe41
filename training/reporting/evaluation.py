"""Evaluate models: write figures and plots and, on request, the manifest and the model cards."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.catalog import ModelInfo, model_catalog
from core.config import Device, Engine
from core.errors import ConfigError
from core.files import atomic_write
from core.weights import SHIPPED_DIR, read_models

from ..data.splits import Split
from ..evaluation.evaluate import measure_models
from ..evaluation.model_metrics import select_recorded
from ..learning.export import update_model
from .comparison import build_comparison_rows, build_pair_rows
from .filters import model_title
from .model_card import write_card
from .plots import (
    LABELS_PLOT,
    SHARES_PLOT,
    plot_confusion,
    plot_pareto,
    plot_reliability,
    plot_risk_coverage,
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured."""

    models: Mapping[str, Mapping[str, Any]]
    """The figures of ``metrics.json`` by model."""
    table: Sequence[tuple[str, ...]]
    """The models side by side: figures by name, one text for each model."""
    pairs: Sequence[tuple[str, ...]]
    """Comparison of every two models, headings first; empty for a single model."""
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
    the training split too, the figures are also given without near-copies of training faces.
    ``record`` puts the main figures into the manifest of ``weights_dir`` and writes the model
    cards again. ``speed`` also measures how long each model takes on this machine.
    ``split`` None takes all faces, for data that nothing was trained on; ``labels`` is a CSV that
    maps class folders with other names to emotions.
    """
    split = Split(split) if split else None
    if record and (split is None or labels is not None):
        raise ConfigError(
            "Only figures on one split of the seven emotions can be recorded with the weights.",
            hint="Leave out --record; metrics.json has the figures.",
        )
    folder = weights_dir or SHIPPED_DIR
    document, skipped = measure_models(
        sources,
        split,
        directory,
        models=models,
        weights_dir=folder,
        votes=votes,
        labels=labels,
        speed=speed,
        engine=Engine(engine),
        device=Device(device),
    )
    _write_plots(directory, document["split"], document["models"])
    cards = _record_figures(folder, document) if record else ()
    compared = replace_recorded(document, folder)
    return Evaluation(
        models=document["models"],
        table=build_comparison_rows(compared),
        pairs=build_pair_rows(compared),
        skipped=skipped,
        cards=cards,
    )


def replace_recorded(document: Mapping[str, Any], folder: Path) -> tuple[ModelInfo, ...]:
    """Return the models of a metrics.json with its figures in place of the recorded ones."""
    return tuple(
        dataclasses.replace(
            info,
            metrics={Split.VALIDATION: select_recorded(document, info.name)},
            speed=document["models"][info.name].get("speed", info.speed),
        )
        for info in model_catalog(folder)
        if info.name in document["models"]
    )


def _write_plots(directory: Path, split: str, measured: Mapping[str, Mapping[str, Any]]) -> None:
    for name, metrics in measured.items():
        title = f"{model_title(name)}, {split}, {metrics['n']:,} faces"
        labels = plot_reliability(title, metrics, LABELS_PLOT)
        atomic_write(directory / f"reliability_{name}.png", labels)
        if people := metrics["people"]:
            shares = plot_reliability(title, people, SHARES_PLOT)
            atomic_write(directory / f"reliability_people_{name}.png", shares)
        confusion = plot_confusion(title, metrics["confusion_matrix"])
        atomic_write(directory / f"confusion_{name}.png", confusion)
    curves = {model_title(name): metrics["risk_coverage"] for name, metrics in measured.items()}
    title = f"Answering only the most certain faces, {split}"
    atomic_write(directory / "risk_coverage.png", plot_risk_coverage(title, curves))
    _plot_speed(directory, split, measured)


def _plot_speed(directory: Path, split: str, measured: Mapping[str, Mapping[str, Any]]) -> None:
    """Plot what the models were measured for against time: agreement with people, or accuracy."""
    times = {
        name: metrics["speed"]["engines"]["openvino"]["ms_per_face"]
        for name, metrics in measured.items()
        if "speed" in metrics
    }
    if not times:
        return
    if all(measured[name]["people"] for name in times):
        upwards, rows = "agreement", {name: measured[name]["people"] for name in times}
        title = f"Agreement with most people against time on a CPU, {split}"
    else:
        upwards, rows = "accuracy", {name: measured[name] for name in times}
        title = f"Accuracy against time on a CPU, {split}"
    points = {
        model_title(name): (
            times[name],
            100 * row[upwards],
            [100 * each for each in row[f"{upwards}_interval"]],
        )
        for name, row in rows.items()
    }
    atomic_write(directory / "pareto.png", plot_pareto(title, points, f"{upwards}, %"))


def _record_figures(folder: Path, document: Mapping[str, Any]) -> tuple[Path, ...]:
    """Put the main figures into the manifest and write the cards of the single networks."""
    split, models = document["split"], read_models(folder)
    for name, metrics in document["models"].items():
        speed = {"speed": metrics["speed"]} if "speed" in metrics else {}
        headlines = {**models[name].metrics, split: select_recorded(document, name)}
        update_model(folder, name, {"metrics": headlines, **speed})
    # Each card shows all models, so their figures must be in the manifest first.
    return tuple(
        write_card(folder, name, document)
        for name in document["models"]
        if len(models[name].members) == 1
    )
