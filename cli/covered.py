"""`emotion covered`: train and measure the check for covered eyes and mouths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.tables import make_table, print_tables
from cli.terminal import print_progress, print_skipped
from cli.training_run import explain_resume, get_epoch_printer, print_run
from core import Device, check_output_folder, format_metric
from training.learning.precision import Precision

covered = typer.Typer(no_args_is_help=True, add_completion=False)


@covered.callback()
def _group() -> None:
    """Train and measure the check for covered eyes and mouths."""


@covered.command()
def train(
    *,
    data: options.DataOption,
    photos: Annotated[
        Path | None,
        typer.Option("--photos", metavar="DIR_OR_ZIP", help="Also use the faces in these photos."),
    ] = None,
    values: options.SetOption = None,
    recipe: options.RecipeOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the run.")] = Path(
        "runs/covered"
    ),
    resume: options.ResumeOption = False,
    max_minutes: options.MaxMinutesOption = None,
    workers: options.WorkersOption = 1,
    device: options.DeviceOption = Device.AUTO,
    precision: options.PrecisionOption = Precision.AUTO,
) -> None:
    """Train the check for covered eyes and mouths on faces over which it draws things.

    The faces need no labels. Those that are really covered are found on the way.
    """
    overrides = options.parse_values(values)
    check_output_folder("--out", out, [*data, photos])
    print_progress("Reading the faces …")
    from training.covered.recipe import read_covered_recipe
    from training.covered.train import train_covered

    with explain_resume():
        run = train_covered(
            read_covered_recipe(overrides, recipe),
            data,
            out,
            photos=photos,
            resume=resume,
            max_minutes=max_minutes,
            workers=workers,
            device=device,
            precision=precision,
            report=get_epoch_printer(),
        )
    print_skipped(run.skipped)
    print_run(
        run,
        "the check",
        "Next, with photos that were not used for training",
        (f"emotion covered evaluate --weights {out} --photos … --out {out / 'evaluation'}",),
    )


@covered.command()
def evaluate(
    *,
    out: options.ResultsOption,
    photos: Annotated[
        list[Path] | None,
        typer.Option(
            "--photos",
            metavar="DIR_OR_ZIP",
            help="Photos with faces, on which masks, sunglasses and more are drawn. Can be given "
            "several times.",
        ),
    ] = None,
    uncovered: Annotated[
        Path | None,
        typer.Option(
            "--uncovered", metavar="DIR_OR_ZIP", help="Photos whose faces are hardly ever covered."
        ),
    ] = None,
    data: Annotated[list[Path] | None, options.DATA] = None,
    votes: options.VotesOption = None,
    negatives: Annotated[
        Path | None,
        typer.Option(
            "--negatives",
            metavar="DIR_OR_ZIP",
            help="Photos without faces: how many get a certain answer?",
        ),
    ] = None,
    weights: options.WeightsOption = None,
    publish: Annotated[
        Path | None,
        typer.Option("--publish", metavar="DIR", help="Also copy the measured check there."),
    ] = None,
) -> None:
    """Measure how often covered faces are noticed, and uncovered ones wrongly called covered.

    With --data and --votes, also how often the certain answers for covered faces are right.
    """
    from training.covered.evaluate import evaluate_covered
    from training.covered.publish import publish_check

    inputs = [*(photos or ()), uncovered, *(data or ()), votes, negatives]
    check_output_folder("--out", out, inputs)
    if publish is not None:
        check_output_folder("--publish", publish, inputs)
    report, skipped = evaluate_covered(
        out,
        photos=photos or (),
        uncovered=uncovered,
        faces=data or (),
        votes=votes,
        negatives=negatives,
        weights_dir=weights,
        progress=print_progress,
    )
    print_skipped(skipped)
    _print_report(report)
    typer.echo(f"Everything is in {out}: covered.json.")
    if publish is not None:
        publish_check(weights, publish, report)
        typer.echo(f"Published to {publish}.")


@covered.command()
def table(
    file: Annotated[
        Path, typer.Argument(metavar="COVERED.json", help="Written by the command evaluate.")
    ],
) -> None:
    """Print the figures as Markdown tables."""
    from training.covered.publish import format_covered_tables, read_report

    typer.echo(format_covered_tables(read_report(file)), nl=False)


def _print_report(report: Mapping[str, Any]) -> None:
    """Print a table for each part of the report that was measured."""
    for name, measured in (report["drawn"] or {}).items():
        drawn = make_table(f"Drawn on {name}", "found", "noticed or called covered", "certain")
        for row in measured["rows"]:
            share = "noticed_share" if "noticed" in row else "called_share"
            drawn.add_row(
                f"{row['group']}: {row['name']}",
                f"{row['found']} of {row['faces']}",
                format_metric(row, share, ".1%"),
                str(row["certain"]),
            )
        print_tables(drawn)
        typer.echo()
    if uncovered := report["uncovered"]:
        share = format_metric(uncovered, "called_share", ".1%")
        typer.echo(f"{uncovered['called']} of {uncovered['faces']} faces called covered: {share}.")
    if answers := report["answers"]:
        values = make_table("Labelled faces", "certain", "right among these", "called covered")
        for row in answers["rows"]:
            names = ("certain_share", "certain_accuracy", "called_share")
            values.add_row(row["group"], *(format_metric(row, name, ".1%") for name in names))
        print_tables(values)
    if negatives := report["negatives"]:
        for kind, words in (("others", "without a face"), ("hard", "of statues and the like")):
            row = negatives[kind]
            typer.echo(
                f"{row['photos']} photos {words}: {row['detection']} with a detection, "
                f"{row['certain']} with a certain answer."
            )
