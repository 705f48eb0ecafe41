"""`emotion ablate`: what each term of a recipe is worth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.options import DeviceOption
from cli.train import (
    CompileOption,
    DataOption,
    InitOption,
    LandmarksOption,
    NetworkName,
    PrecisionOption,
    RecipeOption,
    SetOption,
    TeachersOption,
    WorkersOption,
    parsed_values,
    show_epoch,
)
from core import Device
from training.learning.precision import Precision


def ablate(
    *,
    model: Annotated[NetworkName, typer.Option("--model", help="The network to train.")],
    data: DataOption,
    votes: Annotated[
        Path, typer.Option("--votes", metavar="CSV", help="FER+ crowd votes on the faces.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where runs and tables are kept.")
    ],
    faces: Annotated[
        int, typer.Option("--faces", min=20, help="Training faces of each run.")
    ] = 6000,
    init: InitOption = "imagenet",
    landmarks: LandmarksOption = None,
    teachers: TeachersOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="NAME",
            help="Try only this variant beside the run with all terms. Can be given several times.",
        ),
    ] = None,
    values: SetOption = None,
    recipe: RecipeOption = None,
    workers: WorkersOption = 1,
    device: DeviceOption = Device.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    compiled: CompileOption = False,
) -> None:
    """Train a network several times, each time without one term of its recipe, and compare.

    Crowd votes, mixup and label smoothing are left out in turn, and landmarks and teachers where
    they are given. --only names others: "emotions alike" and its like weigh or augment faces that
    a network learns least about. The same command again goes on where it was stopped.
    """
    talkative = sys.stderr.isatty()
    from training.studies.ablation import ablate as run_all

    told = run_all(
        model,
        data,
        out,
        init=init,
        votes=votes,
        faces=faces,
        landmarks=landmarks,
        teachers=teachers or (),
        only=only or (),
        overrides=parsed_values(values or []),
        recipe=recipe,
        workers=workers,
        device=device,
        precision=precision,
        compiled=compiled,
        started=lambda name: typer.echo(f"Training: {name}", err=True),
        report=show_epoch if talkative else None,
    )
    typer.echo((told.directory / "ablation.md").read_text(encoding="utf-8"), nl=False)
    typer.echo(f"Everything is in {told.directory}: ablation.json, ablation.md and the runs.")
