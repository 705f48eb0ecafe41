"""`emotion evaluate --photos`: measure on whole photos, from finding the faces to the answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.options import list_models
from cli.tables import format_percent, make_table, print_tables
from cli.terminal import print_skipped
from core import Device

if TYPE_CHECKING:
    from rich.table import Table

_METRICS = {
    "coverage": "a face found",
    "accuracy": "right",
    "accuracy_of_found": "right where a face was found",
    "certain": "certain",
    "certain_accuracy": "right among the certain",
}


def measure_whole_photos(
    photos: Path,
    out: Path,
    *,
    model: str,
    weights: Path | None,
    labels: Path | None,
    detector: str | None,
    device: Device,
) -> None:
    """Measure on whole photos and print the figures."""
    from training.evaluation.photos import evaluate_photos

    result = evaluate_photos(
        photos,
        out,
        models=list_models(model, weights),
        weights_dir=weights,
        detector=str(detector) if detector else None,
        labels=labels,
        device=device,
    )
    print_skipped(result.skipped)
    print_tables(_make_table(result.report["models"]))
    unlabelled = result.report["unlabelled"]["photos"]
    if unlabelled:
        typer.echo(f"{unlabelled} more photos have no label.")
    typer.echo(f"Everything is in {result.directory}: photos.json and photos.csv.")


def _make_table(models: Mapping[str, Any]) -> Table:
    """Return a column for each model, a row for each metric and each emotion."""
    table = make_table("On whole photos", *models)
    table.add_row("photos", *(f"{metrics['n']:,}" for metrics in models.values()))
    for key, label in _METRICS.items():
        table.add_row(label, *(format_percent(metrics, key) for metrics in models.values()))
    for emotion in next(iter(models.values()))["per_class"]:
        rows = [metrics["per_class"][emotion] for metrics in models.values()]
        table.add_row(emotion, *(f"{row['right']} of {row['n']}" for row in rows))
    return table
