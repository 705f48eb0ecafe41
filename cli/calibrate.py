"""`emotion calibrate`: honest probabilities, and where "not sure" begins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.figures import figures_table
from cli.options import DEFAULT_MODEL, DeviceOption, ModelOption
from cli.train import DataOption
from core import Device

WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="DIR",
        help="Folder with manifest.json, e.g. runs/MODEL.  [default: the shipped weights]",
    ),
]


def calibrate(
    *,
    data: DataOption,
    model: ModelOption = DEFAULT_MODEL,
    weights: WeightsOption = None,
    target_accuracy: Annotated[
        float,
        typer.Option(
            "--target-accuracy",
            help="Share of the certain answers that shall be right; fixes where not sure begins.",
        ),
    ] = 0.8,
    publish: Annotated[
        Path | None,
        typer.Option("--publish", metavar="DIR", help="Then copy the weights into this folder."),
    ] = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Fit a network's probabilities to the validation faces and store that with its weights.

    Figures recorded before are dropped; `emotion evaluate --record` measures them anew.
    """
    from training.evaluation.calibrate import calibrate_model

    told = calibrate_model(
        data,
        model=model,
        weights_dir=weights,
        target_accuracy=target_accuracy,
        publish_to=publish,
        device=device,
    )
    from rich.console import Console

    table = figures_table(f"{model}, {told.n:,} faces", "before", "after")
    table.add_row("negative log-likelihood", f"{told.nll_before:.3f}", f"{told.nll_after:.3f}")
    table.add_row("calibration error", f"{told.ece_before:.1%}", f"{told.ece_after:.1%}")
    fitted = told.calibration
    if fitted.smoothing:
        table.add_row("smoothing taken out", "0%", f"{fitted.smoothing:.0%}")
    for name, part in told.shares.items():
        table.add_row(f"share of {name}", f"{1 / len(told.shares):.0%}", f"{part:.0%}")
    table.add_row("temperature", "1", f"{fitted.temperature:.3f}")
    Console().print(table)
    if fitted.selective_accuracy is None:
        typer.echo(f"No level reaches {target_accuracy:.0%}: every answer will be not sure.")
    else:
        typer.echo(
            f"Certain from a probability of {fitted.certain_from:.3f}: {fitted.coverage:.1%} of "
            f"the faces, {fitted.selective_accuracy:.1%} of those right."
        )
    if told.published:
        typer.echo(f"Published in {told.published}.")
