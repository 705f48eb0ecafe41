"""`emotion ablate`: measure what each part of a recipe contributes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.training_run import get_epoch_printer
from core import Device, check_output_folder
from training.learning.precision import Precision


def ablate(
    *,
    model: options.TrainedNetworkOption,
    data: options.DataOption,
    votes: Annotated[
        Path, typer.Option("--votes", metavar="CSV", help="FER+ crowd votes for the faces.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the runs and tables.")
    ],
    faces: Annotated[
        int, typer.Option("--faces", min=20, help="Training faces in each run.")
    ] = 6000,
    init: options.InitOption = "imagenet",
    landmarks: options.LandmarksOption = None,
    teachers: options.TeachersOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="NAME",
            help="Compare only this variant with the complete recipe. Can be given several times.",
        ),
    ] = None,
    values: options.SetOption = None,
    recipe: options.RecipeOption = None,
    workers: options.WorkersOption = 1,
    device: options.DeviceOption = Device.AUTO,
    precision: options.PrecisionOption = Precision.AUTO,
    compiled: options.CompileOption = False,
) -> None:
    """Measure what each part of a training recipe contributes.

    Trains a network several times, each time without one part: crowd votes, mixup, label smoothing,
    and landmarks and teachers if they are given. Variants such as --only "emotions alike" give more
    weight to faces the network knows least about, or augment them more. If interrupted, the same
    command continues.
    """
    check_output_folder("--out", out, [*data, votes])
    from training.learning.train import TrainingOptions
    from training.studies.ablation import ablate as run_ablation

    run_ablation(
        model,
        data,
        out,
        TrainingOptions(
            init=init,
            votes=votes,
            landmarks=landmarks,
            teachers=teachers or (),
            limit=faces,
            workers=workers,
            device=device,
            precision=precision,
            compiled=compiled,
        ),
        only=only or (),
        overrides=options.parse_values(values),
        recipe=recipe,
        started=lambda name: typer.echo(f"Training: {name}", err=True),
        report=get_epoch_printer(),
    )
    typer.echo((out / "ablation.md").read_text(encoding="utf-8"), nl=False)
    typer.echo(f"Everything is in {out}: ablation.json, ablation.md and the runs.")
