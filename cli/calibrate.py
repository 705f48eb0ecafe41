"""`emotion calibrate`: calibrate probabilities, and choose when the answer is "not sure"."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.tables import make_table, print_tables
from core import TARGET_ACCURACY, Device, Reading, check_output_folder

if TYPE_CHECKING:
    from rich.table import Table

    from training.evaluation.calibrate import ReadingReport

_TITLES = {Reading.PEOPLE: "what people see", Reading.FER2013: "FER-2013's label"}


def calibrate(
    *,
    data: options.DataOption,
    model: options.CalibratedModelOption = options.DEFAULT_TRAINED,
    weights: options.WeightsOption = None,
    votes: options.VotesOption = None,
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos",
            metavar="DIR_OR_ZIP",
            help="Natural photos in folders named by emotion; the blend of both heads is fitted "
            "to them.",
        ),
    ] = None,
    target_accuracy: Annotated[
        float,
        typer.Option(
            "--target-accuracy",
            help="Share of the answers given that should be what most people see; sets where not "
            "sure begins.",
        ),
    ] = TARGET_ACCURACY[Reading.PEOPLE],
    label_target_accuracy: Annotated[
        float,
        typer.Option("--label-target-accuracy", help="The same for FER-2013's label."),
    ] = TARGET_ACCURACY[Reading.FER2013],
    publish: Annotated[
        Path | None,
        typer.Option("--publish", metavar="DIR", help="Then copy the weights to this folder."),
    ] = None,
    device: options.DeviceOption = Device.AUTO,
) -> None:
    """Correct a network's shares so that they match how many people agree.

    Uses the validation faces, and stores the result with the weights. This removes recorded
    figures; `emotion evaluate --record` measures them again.
    """
    from training.evaluation.calibrate import CalibrationData, calibrate_model

    if publish is not None:
        check_output_folder("--publish", publish, [*data, votes, photos])
    targets = {Reading.PEOPLE: target_accuracy, Reading.FER2013: label_target_accuracy}
    report = calibrate_model(
        CalibrationData(data, votes, photos),
        model=model,
        weights_dir=weights,
        target_accuracy=targets,
        publish_to=publish,
        device=device,
    )
    print_tables(*(_make_table(model, *each) for each in report.readings.items()))
    for name, share in report.shares.items():
        typer.echo(f"Share of {name}: {share:.0%}.")
    for reading, result in report.readings.items():
        typer.echo(_describe_level(reading, result, targets[reading]))
    if publish:
        typer.echo(f"Published to {publish}.")


def _make_table(model: str, reading: Reading, report: ReadingReport) -> Table:
    calibration = report.calibration
    table = make_table(f"{model}, {_TITLES[reading]}, {report.n:,} faces", "before", "after")
    table.add_row("cross-entropy", f"{report.nll_before:.3f}", f"{report.nll_after:.3f}")
    table.add_row("calibration error", f"{report.ece_before:.1%}", f"{report.ece_after:.1%}")
    if calibration.smoothing:
        table.add_row("label smoothing removed", "0%", f"{calibration.smoothing:.0%}")
    if calibration.crowd_share:
        table.add_row("share of the crowd head", "", f"{calibration.crowd_share:.0%}")
    table.add_row("temperature", "1", f"{calibration.temperature:.3f}")
    return table


def _describe_level(reading: Reading, report: ReadingReport, target: float) -> str:
    calibration = report.calibration
    title = _TITLES[reading][0].upper() + _TITLES[reading][1:]
    if calibration.selective_accuracy is None:
        return f"{title}: no level reaches {target:.0%}, so every answer will be not sure."
    return (
        f"{title}: the level is {calibration.certain_from:.3f}. {calibration.coverage:.1%} of the "
        f"faces reach it, {calibration.selective_accuracy:.1%} of those right."
    )
