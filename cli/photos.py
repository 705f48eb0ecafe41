"""`emotion evaluate --photos`: the whole way from photos to answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from cli.figures import figures_table, share
from cli.train import show_skipped
from core import Device, model_catalog

_SHOWN = (
    ("coverage", "a face found"),
    ("accuracy", "right"),
    ("accuracy_of_found", "right where a face was found"),
    ("certain", "certain"),
    ("certain_accuracy", "right among the certain"),
)


def whole_photos(
    photos: Path,
    out: Path,
    *,
    model: str,
    weights: Path | None,
    labels: Path | None,
    detector: str | None,
    device: Device,
) -> None:
    """Measure on whole photos and show what was found."""
    from training.evaluation.photos import evaluate_photos

    trained = [info.name for info in model_catalog(weights) if info.trained]
    told = evaluate_photos(
        photos,
        out,
        models=trained if model == "all" else (str(model),),
        weights_dir=weights,
        detector=str(detector) if detector else None,
        labels=labels,
        device=device,
    )
    show_skipped(told.skipped)
    from rich.console import Console

    Console().print(_table(told.report["models"]))
    others = told.report["unlabelled"]
    if others["photos"]:
        typer.echo(f"Beside them {others['photos']} photos without a label.")
    typer.echo(f"Everything is in {told.directory}: photos.json and photos.csv.")


def _table(models: Mapping[str, Any]) -> object:
    table = figures_table("On whole photos", *models)
    table.add_row("photos", *(f"{each['n']:,}" for each in models.values()))
    for key, label in _SHOWN:
        cells = (share(each, key) if each[key] is not None else "-" for each in models.values())
        table.add_row(label, *cells)
    for emotion in next(iter(models.values()))["per_class"]:
        rows = [each["per_class"][emotion] for each in models.values()]
        table.add_row(emotion, *(f"{row['right']} of {row['n']}" for row in rows))
    return table
