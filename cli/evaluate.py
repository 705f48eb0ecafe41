"""`emotion evaluate`: how good the trained networks are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calibrate import WeightsOption
from cli.figures import figures_table, points
from cli.options import DeviceOption
from cli.train import DataOption, VotesOption, show_skipped
from core import Device, model_names
from training import Split

if TYPE_CHECKING:
    from training import Evaluation

ALL = "all"
EvaluatedName = StrEnum(  # type: ignore[misc]
    "EvaluatedName", {name.upper(): name for name in (*model_names(), ALL)}
)


def evaluate(
    *,
    data: DataOption,
    split: Annotated[Split, typer.Option("--split", help="Which part of the data.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where figures and plots are written.")
    ],
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
    device: DeviceOption = Device.AUTO,
) -> None:
    """Measure trained networks: figures with 95 % intervals, predictions and plots.

    If the data hold the training faces too, figures without near-copies of them are added.
    """
    if split is Split.TEST:
        typer.secho(
            "A test split is for one final measurement: choose and tune on validation.",
            fg="yellow",
            err=True,
        )
    from training import evaluate_models

    told = evaluate_models(
        data,
        split,
        out,
        models=() if model == ALL else (model,),
        weights_dir=weights,
        votes=votes,
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
        console.print(_pairs(told.pairs))
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


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> object:
    """One line per two models: difference in accuracy, and the test of no difference."""
    table = figures_table("Accuracy compared", "difference in points", "McNemar p")
    for each in pairs:
        table.add_row(
            f"{each['first']} against {each['second']}",
            points(each["differences"]["accuracy"]),
            f"{each['mcnemar_p']:.2g}",
        )
    return table
