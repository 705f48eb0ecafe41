"""`emotion evaluate`: how good the trained networks are."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calibrate import WeightsOption
from cli.figures import figures_table, rows_table
from cli.options import DetectorName, DeviceOption
from cli.photos import whole_photos
from cli.train import DATA, VotesOption, show_skipped
from core import ConfigError, Device, model_names
from training.data.splits import Split

if TYPE_CHECKING:
    from training.evaluation.evaluate import Evaluation

ALL = "all"
EvaluatedSplit = StrEnum(  # type: ignore[misc]
    "EvaluatedSplit", {name.upper(): name for name in (*Split, ALL)}
)
OptionalDataOption = Annotated[list[Path] | None, DATA]
EvaluatedName = StrEnum(  # type: ignore[misc]
    "EvaluatedName", {name.upper(): name for name in (*model_names(), ALL)}
)


def evaluate(
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where figures and plots are written.")
    ],
    data: OptionalDataOption = None,
    split: Annotated[
        EvaluatedSplit | None,
        typer.Option("--split", help="Which part of the data; all for data of your own."),
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos",
            metavar="DIR_OR_ZIP",
            help="Whole photos in folders named by emotion, instead of --data and --split; a face "
            "that is not found counts as an error.",
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="CSV",
            help="What folders of other names stand for: columns class and emotion; an empty "
            "emotion leaves a class out.",
        ),
    ] = None,
    model: Annotated[
        EvaluatedName, typer.Option("--model", help="The network; all means every trained one.")
    ] = EvaluatedName(ALL),  # noqa: B008 - an enumeration's member, the same every time
    weights: WeightsOption = None,
    votes: VotesOption = None,
    record: Annotated[
        bool,
        typer.Option("--record", help="Store the figures with the weights and write their card."),
    ] = False,
    speed: Annotated[
        bool, typer.Option("--speed", help="Measure as well how long each model takes here.")
    ] = False,
    detector: Annotated[
        DetectorName | None,
        typer.Option("--detector", help="What finds the faces in --photos.  [default: as ever]"),
    ] = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Measure trained networks: figures with 95 % intervals, predictions and plots.

    If the data hold the training faces too, figures without near-copies of them are added.
    """
    if photos is not None:
        if data or split or votes or record or speed:
            raise ConfigError(
                "--photos goes with --labels, --model, --weights, --detector and --device alone.",
                hint="Faces that are cut out already are given with --data and --split.",
            )
        whole_photos(
            photos,
            out,
            model=model,
            weights=weights,
            labels=labels,
            detector=detector,
            device=device,
        )
        return
    if not data or split is None:
        raise ConfigError(
            "Nothing to measure on.", hint="Give --data and --split, or --photos for whole photos."
        )
    if split == EvaluatedSplit(Split.TEST):
        typer.secho(
            "A test split is for one final measurement: choose and tune on validation.",
            fg="yellow",
            err=True,
        )
    from training.evaluation.evaluate import evaluate_models

    told = evaluate_models(
        data,
        None if split == EvaluatedSplit(ALL) else Split(split.value),
        out,
        models=() if model == ALL else (model,),
        weights_dir=weights,
        votes=votes,
        labels=labels,
        record=record,
        speed=speed,
        device=device,
    )
    show_skipped(told.skipped)
    from rich.console import Console

    console = Console()
    console.print(_table(told, split))
    if told.pairs:
        console.print()
        console.print(rows_table(told.pairs))
    typer.echo(f"Everything is in {told.directory}: metrics.json, predictions.csv and plots.")
    for card in told.cards:
        typer.echo(f"Recorded; the model card is {card}.")


def _table(told: Evaluation, split: str) -> object:
    """One column per model, one line per figure."""
    table = figures_table(f"On {split}", *told.models)
    table.add_row("faces", *(f"{each['n']:,}" for each in told.models.values()))
    for row in told.table:
        table.add_row(*row)
    return table
