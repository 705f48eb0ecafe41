"""`emotion models`: list the networks with their measured figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.tables import make_table, print_tables
from core import format_metric

if TYPE_CHECKING:
    from rich.table import Table

    from core import ModelInfo

_JSON_FIELDS = [
    "name",
    "trained",
    "input_px",
    "parameters",
    "megabytes",
    "metrics",
    "speed",
    "how_to_get",
]


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write the table as Markdown.")
    ] = False,
) -> None:
    """Compare the networks by their measured figures."""
    from core import model_catalog

    catalog = model_catalog()
    if as_json:
        records = [{name: getattr(info, name) for name in _JSON_FIELDS} for info in catalog]
        typer.echo(json.dumps(records, indent=2, default=dict))
        return
    from training.reporting.comparison import (
        build_comparison_rows,
        build_pair_rows,
        format_comparison_table,
    )

    trained = [info for info in catalog if info.trained]
    if markdown:
        typer.echo(format_comparison_table(trained), nl=False)
        return
    if trained:
        names = (info.name for info in trained)
        # Intervals below their figures: beside them they would be broken in 80 columns.
        figures = (
            [cell.replace(" (", "\n(") for cell in row] for row in build_comparison_rows(trained)
        )
        table = make_table("All figures", *names, rows=figures)
        table.add_row("measured on", *(_describe_data(info.metrics) for info in trained))
        print_tables(_make_overview(trained), table)
        _print_machines(trained)
        if pairs := build_pair_rows(trained):
            headings, *rows = pairs
            typer.echo()
            print_tables(make_table(*headings, rows=rows))
    untrained = [info for info in catalog if not info.trained]
    if untrained:
        typer.echo("\nNot trained yet:" if trained else "Not trained yet:")
    for info in untrained:
        typer.echo(f"  {info.name}: {info.how_to_get}")


def _make_overview(trained: Sequence[ModelInfo]) -> Table:
    """Return a short table of what helps to choose a network."""
    rows = []
    for info in trained:
        engines = info.speed.get("engines", {})
        people = info.metrics.get("validation", {}).get("people") or {}
        agreement = format_metric(people, "agreement", scale=100)
        pace = format_metric(engines.get("openvino", {}), "ms_per_face")
        rows.append((info.name, agreement, pace, format_metric({"MB": info.megabytes}, "MB")))
    agrees = "agrees with most people, %"
    return make_table("Model", agrees, "ms a face", "file, MB", rows=rows)


def _describe_data(metrics: Mapping[str, Any]) -> str:
    """Return the name of the data and its number of faces, as far as they are recorded."""
    figures = metrics.get("validation", {})
    parts = [figures["data"]] if "data" in figures else []
    if "n" in figures:
        parts.append(f"{figures['n']:,} faces")
    return ", ".join(parts) or "–"


def _print_machines(trained: Sequence[ModelInfo]) -> None:
    """Print the computers that the times were measured on, each once."""
    machines = {
        f"{info.speed['machine']['processor']}, {info.speed['machine']['threads']} threads"
        for info in trained
        if "machine" in info.speed
    }
    for machine in sorted(machines):
        typer.echo(f"Times and photos: {machine}.")
