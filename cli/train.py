"""`emotion train`: train a network on labelled faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import (
    CompileOption,
    DataOption,
    DeviceOption,
    InitOption,
    LandmarksOption,
    MaxMinutesOption,
    PrecisionOption,
    RecipeOption,
    ResumeOption,
    SetOption,
    TeachersOption,
    TrainedNetworkOption,
    VotesOption,
    WorkersOption,
    parse_values,
)
from cli.terminal import print_progress, print_skipped
from cli.training_run import explain_resume, get_epoch_printer, print_run
from core import Device
from training.learning.precision import Precision


def train(
    *,
    model: TrainedNetworkOption,
    data: DataOption,
    init: InitOption = "imagenet",
    votes: VotesOption = None,
    landmarks: LandmarksOption = None,
    teachers: TeachersOption = None,
    values: SetOption = None,
    recipe: RecipeOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of the run.  [default: runs/MODEL]"),
    ] = None,
    resume: ResumeOption = False,
    max_minutes: MaxMinutesOption = None,
    workers: WorkersOption = 1,
    device: DeviceOption = Device.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    devices: Annotated[
        int, typer.Option("--devices", min=1, help="GPUs (or processes) that share each batch.")
    ] = 1,
    nodes: Annotated[
        int, typer.Option("--nodes", min=1, help="Number of computers, each with --devices.")
    ] = 1,
    compiled: CompileOption = False,
    limit: Annotated[
        int | None,
        typer.Option("--faces", min=2, help="Learn from only this many faces, for a quick trial."),
    ] = None,
) -> None:
    """Train a network and export its weights.

    Validation faces are measured but not learned from; test faces are not used. If the run is
    interrupted, at most the current epoch is lost: --resume continues after the last finished one.
    """
    overrides = parse_values(values)
    directory = out or Path("runs") / model
    print_progress("Reading the faces …")
    from training.learning.recipe import read_recipe
    from training.learning.train import train_model

    with explain_resume():
        run = train_model(
            read_recipe(model, overrides, recipe),
            data,
            directory,
            init=init,
            votes=votes,
            landmarks=landmarks,
            teachers=teachers or (),
            resume=resume,
            max_minutes=max_minutes,
            workers=workers,
            device=device,
            precision=precision,
            devices=devices,
            nodes=nodes,
            compiled=compiled,
            limit=limit,
            report=get_epoch_printer(),
        )
    if not run.is_leader:
        return
    print_skipped(run.skipped)
    sources = " ".join(f"--data {path}" for path in data)
    options = f"--model {model} {sources} --weights {directory}"
    evaluation = directory / "evaluation"
    print_run(
        run,
        str(model),
        "Next",
        (
            f"emotion calibrate {options}",
            f"emotion evaluate {options} --split validation --record --out {evaluation}",
        ),
    )
