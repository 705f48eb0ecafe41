"""`emotion study robustness`: where the answers are worse."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.calibrate import WeightsOption
from cli.evaluate import ALL, EvaluatedName
from cli.figures import figures_table, points, share
from cli.train import DataOption, VotesOption

SHOWN = 8
"""Groups a model that are named on the terminal; the file has them all."""


def robustness(
    *,
    data: DataOption,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where figures and plots are written.")
    ],
    model: Annotated[
        EvaluatedName, typer.Option("--model", help="The network; all means every trained one.")
    ] = EvaluatedName(ALL),  # noqa: B008 - an enumeration's member, the same every time
    weights: WeightsOption = None,
    votes: VotesOption = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            metavar="CSV",
            help="Your own groups of people: a column of file names, then one per grouping.",
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", min=14, help="Validation faces that are made worse.")
    ] = 400,
) -> None:
    """Which faces are answered worse: groups of them, and faces made worse on purpose.

    Groups are compared with the other faces of the same emotion; false discoveries are held
    at one in twenty.
    """
    from core import model_catalog
    from training.studies.robustness import study_robustness

    trained = [info.name for info in model_catalog(weights) if info.trained]
    told = study_robustness(
        data,
        out,
        models=trained if model == ALL else (str(model),),
        weights_dir=weights,
        votes=votes,
        groups=groups,
        sample=sample,
        progress=lambda text: typer.echo(text, err=True) if sys.stderr.isatty() else None,
    )
    from rich.console import Console

    console = Console()
    for name, figures in told.report["models"].items():
        for table in _tables(name, figures):
            console.print(table)
            console.print()
    typer.echo(
        f"Everything is in {told.directory}: robustness.json, robustness_slices.png and "
        "robustness_curves.png."
    )


def gate(
    *,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            metavar="FILE",
            help="A robustness.json.  [default: the one of the shipped weights]",
        ),
    ] = None,
    limits: Annotated[
        Path | None,
        typer.Option(
            "--limits",
            metavar="FILE",
            help="TOML.  [default: training/evaluation/release_gate.toml]",
        ),
    ] = None,
    weights: WeightsOption = None,
) -> None:
    """Whether weights may be released: no group or emotion may lie too far behind.

    Looks at what `emotion study robustness` measured; the exit code is 1 when a limit is broken.
    """
    from training.evaluation.release_gate import check_release

    options = {"limits_file": limits, "weights_dir": weights, "report_file": results}
    broken = check_release(**{name: path for name, path in options.items() if path})
    for each in broken:
        typer.secho(
            f"{each.model}: {each.what} is {each.measured:.3f}, the limit {each.limit:.3f}.",
            fg="red",
            err=True,
        )
    if broken:
        raise typer.Exit(1)
    typer.echo("All limits are kept.")


def _tables(name: str, figures: Mapping[str, Any]) -> Iterator[object]:
    worst = figures_table(f"{name}: worst groups", "faces", "accuracy", "against others, points")
    for row in figures["worst"][:SHOWN]:
        worst.add_row(
            f"{row['slicing']}: {row['group']}",
            f"{row['n']:,}",
            f"{row['accuracy']:.1%}",
            points(row["gap"]),
        )
    if not figures["worst"]:
        worst.add_row("none that is worse beyond chance", "", "", "")
    yield worst
    curves = figures_table(f"{name}: made worse", "accuracy", "change, points", "certain")
    for kind, rows in figures["curves"].items():
        for row in rows[1:]:
            curves.add_row(
                f"{kind} {row['level']:g}",
                share(row, "accuracy"),
                points(row["change"]),
                f"{row['certain']:.1%}",
            )
    yield curves
