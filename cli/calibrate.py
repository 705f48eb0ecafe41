"""`emotion calibrate`: calibrate probabilities, and choose when the answer is "not sure"."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.tables import make_table, print_tables
from core import TARGET_ACCURACY, Device


def calibrate(
    *,
    data: options.DataOption,
    model: options.CalibratedModelOption = options.DEFAULT_TRAINED,
    weights: options.WeightsOption = None,
    target_accuracy: Annotated[
        float,
        typer.Option(
            "--target-accuracy",
            help="Share of the answers given that should be right; sets where not sure begins.",
        ),
    ] = TARGET_ACCURACY,
    publish: Annotated[
        Path | None,
        typer.Option("--publish", metavar="DIR", help="Then copy the weights to this folder."),
    ] = None,
    device: options.DeviceOption = Device.AUTO,
) -> None:
    """Make a network's probabilities match how often it is right.

    Uses the validation faces, and stores the result with the weights. This removes recorded
    figures; `emotion evaluate --record` measures them again.
    """
    from training.evaluation.calibrate import calibrate_model

    report = calibrate_model(
        data,
        model=model,
        weights_dir=weights,
        target_accuracy=target_accuracy,
        publish_to=publish,
        device=device,
    )
    calibration = report.calibration
    table = make_table(f"{model}, {report.n:,} faces", "before", "after")
    table.add_row("negative log-likelihood", f"{report.nll_before:.3f}", f"{report.nll_after:.3f}")
    table.add_row("calibration error", f"{report.ece_before:.1%}", f"{report.ece_after:.1%}")
    if calibration.smoothing:
        table.add_row("label smoothing removed", "0%", f"{calibration.smoothing:.0%}")
    for name, share in report.shares.items():
        table.add_row(f"share of {name}", f"{1 / len(report.shares):.0%}", f"{share:.0%}")
    table.add_row("temperature", "1", f"{calibration.temperature:.3f}")
    print_tables(table)
    if calibration.selective_accuracy is None:
        typer.echo(f"No level reaches {target_accuracy:.0%}: every answer will be not sure.")
    else:
        typer.echo(
            f"The level is {calibration.certain_from:.3f}: {calibration.coverage:.1%} of the faces "
            f"reach it, {calibration.selective_accuracy:.1%} of those right."
        )
    if publish:
        typer.echo(f"Published to {publish}.")
