"""`emotion train`: train a network on labelled faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.terminal import print_progress, print_skipped
from cli.training_run import explain_resume, get_epoch_printer, print_run
from core import Device, check_output_folder
from training.learning.precision import Precision


def train(
    *,
    model: options.TrainedNetworkOption,
    data: options.DataOption,
    init: options.InitOption = "imagenet",
    votes: options.VotesOption = None,
    landmarks: options.LandmarksOption = None,
    teachers: options.TeachersOption = None,
    unlabelled: options.UnlabelledOption = None,
    values: options.SetOption = None,
    recipe: options.RecipeOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of the run.  [default: runs/MODEL]"),
    ] = None,
    resume: options.ResumeOption = False,
    max_minutes: options.MaxMinutesOption = None,
    workers: options.WorkersOption = 1,
    device: options.DeviceOption = Device.AUTO,
    precision: options.PrecisionOption = Precision.AUTO,
    devices: options.DevicesOption = 1,
    nodes: options.NodesOption = 1,
    compiled: options.CompileOption = False,
    limit: Annotated[
        int | None,
        typer.Option("--faces", min=2, help="Learn from only this many faces, for a quick trial."),
    ] = None,
) -> None:
    """Train a network and export its weights.

    Validation faces are measured but not learned from; test faces are not used. If the run is
    interrupted, at most the current epoch is lost: --resume continues after the last finished one.
    """
    overrides = options.parse_values(values)
    check_output_folder("--out", directory := out or Path("runs") / model, [*data, votes])
    print_progress("Reading the faces …")
    from training.learning.recipe import read_recipe
    from training.learning.train import TrainingOptions, train_model

    with explain_resume():
        run = train_model(
            read_recipe(model, overrides, recipe),
            data,
            directory,
            TrainingOptions(
                init=init,
                votes=votes,
                landmarks=landmarks,
                teachers=teachers or (),
                unlabelled=unlabelled or (),
                max_minutes=max_minutes,
                workers=workers,
                device=device,
                precision=precision,
                devices=devices,
                nodes=nodes,
                compiled=compiled,
                limit=limit,
            ),
            resume=resume,
            report=get_epoch_printer(),
        )
    if not run.is_leader:
        return
    print_skipped(run.skipped)
    sources = " ".join(f"--data {path}" for path in data)
    given_votes = f" --votes {votes}" if votes else ""
    arguments = f"--model {model} {sources}{given_votes} --weights {directory}"
    evaluation = directory / "evaluation"
    print_run(
        run,
        str(model),
        "Next",
        (
            f"emotion calibrate {arguments}",
            f"emotion evaluate {arguments} --split validation --record --out {evaluation}",
        ),
    )
