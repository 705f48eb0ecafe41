"""`emotion models`: what can be chosen, and how good it is."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from cli.figures import share


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
) -> None:
    """List the networks with their measured figures, and how to train those that are missing."""
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
                "how_to_get": each.how_to_get,
            }
            for each in catalog
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Model", "Accuracy", "Macro-F1", "ECE", "Measured on", "Parameters", "Size"):
        table.add_column(heading)
    trained = [each for each in catalog if each.trained]
    for each in trained:
        figures: dict[str, Any] = dict(each.metrics.get("validation", {}))
        table.add_row(
            each.name,
            share(figures, "accuracy"),
            share(figures, "macro_f1"),
            f"{figures['ece']:.3f}" if "ece" in figures else "-",
            _measured_on(figures),
            f"{each.parameters / 1e6:.1f} M" if each.parameters else "-",
            f"{each.megabytes:.1f} MB" if each.megabytes else "-",
        )
    console = Console()
    if trained:
        console.print(table)
    untrained = [each for each in catalog if not each.trained]
    if untrained:
        console.print("\nNot trained yet:" if trained else "Not trained yet:")
    for each in untrained:
        console.print(f"  {each.name}: {each.how_to_get}", soft_wrap=True, highlight=False)


def _measured_on(figures: dict[str, Any]) -> str:
    told = [figures["data"]] if "data" in figures else []
    if "n" in figures:
        told.append(f"n = {figures['n']}")
    return ", ".join(told) or "-"
