"""`emotion study robustness` and `emotion study gate`: faces that get worse answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.tables import format_percent, format_points, make_table, print_tables
from cli.terminal import print_progress

if TYPE_CHECKING:
    from rich.table import Table

_MAX_GROUPS = 8
"""Groups printed for each model; the file has them all."""


def robustness(
    *,
    data: options.DataOption,
    out: options.ResultsOption,
    model: options.TrainedModelOption = options.ALL_MODELS,
    weights: options.WeightsOption = None,
    votes: options.VotesOption = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            metavar="CSV",
            help="Your own groups of people: a column of file names, then one for each grouping.",
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", min=14, help="Number of validation faces to degrade.")
    ] = 400,
) -> None:
    """Measure which groups of faces get worse answers, and what blur and noise change.

    Each group is compared with the other faces of the same emotion. At most one in twenty of the
    reported groups is expected to be a false discovery.
    """
    from training.studies.robustness import study_robustness

    report = study_robustness(
        data,
        out,
        models=options.list_models(model, weights),
        weights_dir=weights,
        votes=votes,
        groups=groups,
        sample=sample,
        progress=print_progress,
    )
    for name, figures in report["models"].items():
        print_tables(_make_groups_table(name, figures["worst"]))
        typer.echo()
        print_tables(_make_degraded_table(name, figures["curves"]))
        typer.echo()
    typer.echo(
        f"Everything is in {out}: robustness.json, robustness_slices.png and robustness_curves.png."
    )


def gate(
    *,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            metavar="FILE",
            help="A robustness.json.  [default: that of the shipped weights]",
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
    weights: options.WeightsOption = None,
) -> None:
    """Check whether weights may be released: no group or emotion may be much worse than the rest.

    Reads what `emotion study robustness` measured. Exit code: 1 if a limit is exceeded.
    """
    from training.evaluation.release_gate import check_release

    paths = {"limits_file": limits, "weights_dir": weights, "report_file": results}
    breaches = check_release(**{name: path for name, path in paths.items() if path})
    for breach in breaches:
        typer.secho(
            f"{breach.model}: {breach.what} is {breach.measured:.3f}, the limit is "
            f"{breach.limit:.3f}.",
            fg="red",
            err=True,
        )
    if breaches:
        raise typer.Exit(1)
    typer.echo("All limits are kept.")


def _make_groups_table(name: str, groups: Sequence[Mapping[str, Any]]) -> Table:
    """Return a row for each of the groups with the worst answers."""
    table = make_table(f"{name}: worst groups", "faces", "accuracy", "against others, points")
    for row in groups[:_MAX_GROUPS]:
        table.add_row(
            f"{row['slicing']}: {row['group']}",
            f"{row['n']:,}",
            f"{row['accuracy']:.1%}",
            format_points(row["gap"]),
        )
    if not groups:
        table.add_row("none is significantly worse", "", "", "")
    return table


def _make_degraded_table(name: str, curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Return a row for each kind and strength of degradation."""
    table = make_table(f"{name}: degraded", "accuracy", "change, points", "certain")
    for kind, rows in curves.items():
        for row in rows[1:]:  # the first is the undegraded face
            table.add_row(
                f"{kind} {row['level']:g}",
                format_percent(row, "accuracy"),
                format_points(row["change"]),
                f"{row['certain']:.1%}",
            )
    return table
