"""`emotion models`: what can be chosen, and how good it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.figures import figures_table, rows_table

if TYPE_CHECKING:
    from core import ModelInfo


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write the table as Markdown.")
    ] = False,
) -> None:
    """Compare the networks by their measured figures, and tell how to train those missing."""
    from core import model_catalog

    catalog = model_catalog()
    if as_json:
        rows = [
            {
                "name": each.name,
                "trained": each.trained,
                "input_px": each.input_px,
                "parameters": each.parameters,
                "megabytes": each.megabytes,
                "metrics": dict(each.metrics),
                "speed": dict(each.speed),
                "how_to_get": each.how_to_get,
            }
            for each in catalog
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console

    from training.reporting.comparison import comparison_rows, comparison_table, pair_rows

    trained = [each for each in catalog if each.trained]
    if markdown:
        typer.echo(comparison_table(trained), nl=False)
        return
    console = Console()
    if trained:
        table = figures_table("", *(each.name for each in trained))
        for row in comparison_rows(trained):
            table.add_row(*row)
        table.add_row("measured on", *(_measured_on(each.metrics) for each in trained))
        console.print(table)
        _tell_machine(trained)
        pairs = pair_rows(trained)
        if pairs:
            console.print()
            console.print(rows_table(pairs))
    untrained = [each for each in catalog if not each.trained]
    if untrained:
        console.print("\nNot trained yet:" if trained else "Not trained yet:")
    for each in untrained:
        console.print(f"  {each.name}: {each.how_to_get}", soft_wrap=True, highlight=False)


def _measured_on(metrics: Mapping[str, Any]) -> str:
    figures = metrics.get("validation", {})
    told = [figures["data"]] if "data" in figures else []
    if "n" in figures:
        told.append(f"{figures['n']:,} faces")
    return ", ".join(told) or "–"


def _tell_machine(trained: Sequence[ModelInfo]) -> None:
    """What the times were measured on, once for all models."""
    machines = {
        f"{each.speed['machine']['processor']}, {each.speed['machine']['threads']} threads"
        for each in trained
        if "machine" in each.speed
    }
    for machine in sorted(machines):
        typer.echo(f"Times and photos: {machine}.")
