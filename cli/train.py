"""`emotion train`: a network from labelled faces."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DeviceOption
from cli.terminal import printable
from core import ConfigError, Device, model_names
from training.learning.precision import Precision

if TYPE_CHECKING:
    from training.learning.progress import EpochReport
    from training.learning.run import TrainingRun

# The ensemble is no network of its own.
NetworkName = StrEnum(  # type: ignore[misc]
    "NetworkName", {name.upper(): name for name in model_names() if name != "ensemble"}
)
DATA = typer.Option(
    "--data",
    metavar="DIR_OR_ZIP",
    help="Faces in folders named by emotion, a zip of those, or the folder with FER-2013's "
    "official CSV files. Can be given several times.",
)
DataOption = Annotated[list[Path], DATA]
VotesOption = Annotated[
    Path | None, typer.Option("--votes", metavar="CSV", help="FER+ crowd votes on the faces.")
]
LandmarksOption = Annotated[
    Path | None,
    typer.Option(
        "--landmarks",
        metavar="NPZ",
        help="Landmarks of the training faces, to be learnt as well; made if not there yet.",
    ),
]
TeachersOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--teacher",
        metavar="FILE",
        help="Weights of a finished run that teach this one. Can be given several times.",
    ),
]
InitOption = Annotated[
    str,
    typer.Option(
        "--init",
        metavar="imagenet|scratch|FILE",
        help="What training starts from; imagenet is downloaded once, FILE is safetensors.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Replace a value of the recipe, e.g. --set epochs=10. Can be given several times.",
    ),
]
RecipeOption = Annotated[
    Path | None,
    typer.Option("--recipe", metavar="FILE", help="A TOML recipe instead of the model's own."),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=0, help="Processes that prepare the faces.")
]
PrecisionOption = Annotated[
    Precision,
    typer.Option("--precision", help="auto takes half precision on a GPU, full on a CPU."),
]
CompileOption = Annotated[
    bool, typer.Option("--compile", help="Fuse the network with torch.compile (needs g++).")
]
SLOW_LOADER = 0.1
"""Share of the time spent waiting for faces from which that is worth telling."""
FIGURES = {"macro_f1": "macro-F1", "ap": "average precision"}
"""How figures are called where they are not called by their name."""
MANY = 20
"""Skipped files that are named one by one."""


def train(
    *,
    model: Annotated[NetworkName, typer.Option("--model", help="The network to train.")],
    data: DataOption,
    init: InitOption = "imagenet",
    votes: VotesOption = None,
    landmarks: LandmarksOption = None,
    teachers: TeachersOption = None,
    values: SetOption = None,
    recipe: RecipeOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where the run is kept.  [default: runs/MODEL]"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the interrupted run in --out.")
    ] = False,
    max_minutes: Annotated[
        float | None,
        typer.Option(
            "--max-minutes",
            metavar="M",
            min=0.01,
            help="End the whole run, breaks left out, after M minutes; the schedule is fitted.",
        ),
    ] = None,
    workers: WorkersOption = 1,
    device: DeviceOption = Device.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    devices: Annotated[
        int, typer.Option("--devices", min=1, help="GPUs (or processes) that share each batch.")
    ] = 1,
    nodes: Annotated[
        int, typer.Option("--nodes", min=1, help="Computers with so many devices each.")
    ] = 1,
    compiled: CompileOption = False,
    limit: Annotated[
        int | None,
        typer.Option("--faces", min=2, help="Learn from so many faces only, for a quick trial."),
    ] = None,
) -> None:
    """Train a network and export its weights.

    Validation faces are watched but not learnt from; test faces are not touched. Ctrl-C, or
    worse, costs at most the epoch that was running: --resume goes on from the last whole one.
    """
    overrides = parsed_values(values or [])
    directory = out or Path("runs") / model
    talkative = sys.stderr.isatty()
    if talkative:
        typer.echo("Reading the faces …", err=True)
    from training.learning.recipe import read_recipe
    from training.learning.train import train_model

    try:
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
            report=show_epoch if talkative else None,
        )
    except KeyboardInterrupt:
        typer.echo(
            "Stopped. The same command with --resume goes on after the last epoch.", err=True
        )
        raise
    if not run.is_leader:
        return
    show_skipped(run.skipped)
    typer.echo(summary(run, str(model), data))


def parsed_values(texts: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts by name; ConfigError for one without an equals sign."""
    values = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise ConfigError(
                f"--set takes NAME=VALUE, got '{text}'.", hint="Example: --set epochs=10"
            )
        values[name.strip()] = value.strip()
    return values


def show_epoch(told: EpochReport) -> None:
    """One line on stderr about an epoch."""
    parts = [
        f"epoch {told.epoch}/{told.epochs}",
        f"{told.images_per_s:,.0f} images/s",
        f"{duration(told.left_s)} left",
        f"loss {told.loss:.3f}",
    ]
    if told.validation_metrics:
        figures = (
            f"{FIGURES.get(name, name)} {told.validation_metrics[name]:.1%}"
            for name in told.validation_metrics
        )
        parts.append(f"validation {' · '.join(figures)}")
    if told.waiting_share >= SLOW_LOADER:
        parts.append(f"{told.waiting_share:.0%} of it waiting for pictures: try more --workers")
    typer.echo(" · ".join(parts), err=True)


def show_skipped(skipped: Sequence[str]) -> None:
    """Name on stderr the files that could not be read."""
    if not skipped:
        return
    typer.echo(f"Skipped {len(skipped)} files that cannot be read:", err=True)
    for line in skipped[:MANY]:
        typer.echo(f"  {printable(line)}", err=True)
    if len(skipped) > MANY:
        typer.echo(f"  and {len(skipped) - MANY} more", err=True)


def summary(run: TrainingRun, model: str, data: Sequence[Path]) -> str:
    """Where everything lies, and what to run next."""
    sources = " ".join(f"--data {path}" for path in data)
    ended = "by the clock, " if run.ended_by_clock else ""
    epochs = "1 epoch" if run.epochs == 1 else f"{run.epochs} epochs"
    return (
        f"Trained {model}: {epochs} in {duration(run.elapsed_s)}, {ended}kept in\n"
        f"  {run.weights}  the weights, described by manifest.json beside them\n"
        f"  {run.directory / 'augmented.png'}  what the network saw\n"
        f"  {run.directory / 'tensorboard'}  curves, for `tensorboard --logdir {run.directory}`\n"
        "Next:\n"
        f"  emotion calibrate --model {model} {sources} --weights {run.directory}\n"
        f"  emotion evaluate --model {model} {sources} --split validation "
        f"--weights {run.directory} --record --out {run.directory / 'evaluation'}"
    )


def duration(seconds: float) -> str:
    """Hours, minutes or seconds as a person says them."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes >= 2 else f"{round(seconds)} s"
