"""`emotion evaluate`: measure the trained networks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.tables import format_percent, make_table, print_tables
from cli.terminal import print_skipped, print_warning
from core import ConfigError, Device, Reading, check_output_folder
from training.data.splits import Split

EvaluatedSplit = StrEnum(  # type: ignore[misc]
    "EvaluatedSplit", {name.upper(): name for name in (*Split, options.ALL)}
)

SplitOption = Annotated[
    EvaluatedSplit | None,
    typer.Option("--split", help="Part of the data to use; all for your own data."),
]
PhotosOption = Annotated[
    Path | None,
    typer.Option(
        "--photos",
        metavar="DIR_OR_ZIP",
        help="Whole photos in folders named by emotion, instead of --data and --split; a face that "
        "is not found counts as an error.",
    ),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="CSV",
        help="Emotions of folders with other names: columns class and emotion; an empty emotion "
        "leaves a folder out.",
    ),
]
RecordOption = Annotated[
    bool,
    typer.Option("--record", help="Store the figures with the weights and write a model card."),
]
SpeedOption = Annotated[
    bool, typer.Option("--speed", help="Also measure how fast each model is on this computer.")
]
PhotoDetectorOption = Annotated[
    options.DetectorName | None,
    typer.Option("--detector", help="Face detector for --photos.  [default: the preset's]"),
]

_READINGS = {
    Reading.PEOPLE: "what people would see",
    Reading.FER2013: "FER-2013's label",
}
_PHOTO_METRICS = {
    "coverage": "a face found",
    "accuracy": "right",
    "accuracy_of_found": "right where a face was found",
    "accuracy_in_life": "the same, each emotion as frequent as in life",
    "certain": "answers given",
    "certain_accuracy": "right among the answers given",
}


def evaluate(
    *,
    out: options.ResultsOption,
    data: Annotated[list[Path] | None, options.DATA] = None,
    split: SplitOption = None,
    photos: PhotosOption = None,
    labels: LabelsOption = None,
    model: options.TrainedModelOption = options.ALL_MODELS,
    weights: options.WeightsOption = None,
    votes: options.VotesOption = None,
    record: RecordOption = False,
    speed: SpeedOption = False,
    detector: PhotoDetectorOption = None,
    device: options.DeviceOption = Device.AUTO,
) -> None:
    """Measure how good trained networks are.

    Writes figures with 95 % intervals, predictions and plots. If the data include the training
    faces, figures without near-copies of them are added.
    """
    check_output_folder("--out", out, [*(data or ()), photos, labels, votes])
    if photos is not None:
        if data or split or votes or record or speed:
            raise ConfigError(
                "With --photos only --labels, --model, --weights, --detector and --device work.",
                hint="For faces that are cut out already, use --data and --split.",
            )
        from training.evaluation.photos import evaluate_photos

        report, skipped = evaluate_photos(
            photos,
            out,
            models=options.list_models(model, weights),
            weights_dir=weights,
            detector=str(detector) if detector else None,
            labels=labels,
            device=device,
        )
        print_skipped(skipped)
        _print_photos(report)
        typer.echo(f"Everything is in {out}: photos.json and photos.csv.")
        return
    if not data or split is None:
        raise ConfigError(
            "There is nothing to measure.",
            hint="Give --data and --split, or --photos for whole photos.",
        )
    if split == EvaluatedSplit(Split.TEST):
        print_warning(
            "Use the test split only for one final measurement; choose and tune on validation."
        )
    from training.reporting.evaluation import evaluate_models

    result = evaluate_models(
        data,
        None if split == EvaluatedSplit(options.ALL) else Split(split.value),
        out,
        models=() if model == options.ALL else (model,),
        weights_dir=weights,
        votes=votes,
        labels=labels,
        record=record,
        speed=speed,
        device=device,
    )
    print_skipped(result.skipped)
    counts = ("faces", *(f"{metrics['n']:,}" for metrics in result.models.values()))
    tables = [make_table(f"On {split}", *result.models, rows=(counts, *result.table))]
    if result.pairs:
        headings, *rows = result.pairs
        tables.append(make_table(*headings, rows=rows))
    print_tables(*tables)
    typer.echo(f"Everything is in {out}: metrics.json, predictions.csv and plots.")
    for card in result.cards:
        typer.echo(f"Recorded; the model card is {card}.")


def _print_photos(report: Mapping[str, Any]) -> None:
    """Print a table for each reading: a column for each model, a row for each metric."""
    models = report["models"]
    for reading, title in _READINGS.items():
        columns = [readings[reading] for readings in models.values()]
        table = make_table(f"On whole photos, {title}", *models)
        table.add_row("photos", *(f"{metrics['n']:,}" for metrics in columns))
        for key, label in _PHOTO_METRICS.items():
            table.add_row(label, *(format_percent(metrics, key) for metrics in columns))
        for emotion in columns[0]["per_class"]:
            rows = [metrics["per_class"][emotion] for metrics in columns]
            table.add_row(emotion, *(f"{row['right']} of {row['found']} found" for row in rows))
        print_tables(table)
    unlabelled = report["unlabelled"]["photos"]
    if unlabelled:
        typer.echo(f"{unlabelled} more photos have no label.")
