"""`emotion duplicates`: copies of one face within a data set and across its splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.figures import figures_table
from cli.train import show_skipped


def duplicates(
    *,
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            metavar="DIR_OR_ZIP",
            help="Faces in folders by class, of any names, a zip of those, or the folder with "
            "FER-2013's official CSV files. Can be given several times.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where counts and the list are written.")
    ],
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold", min=0.5, max=1.0, help="Correlation from which faces are near copies."
        ),
    ] = 0.99,
) -> None:
    """Find faces that occur more than once, in one split or in several.

    A test face with a copy among the training faces makes a network look better than it is.
    Every pair of faces is compared, which takes minutes for tens of thousands. Copies in folders
    of different names are counted as groups with different labels.
    """
    from training.data.duplicates import find_duplicates

    told = find_duplicates(data, out, threshold)
    show_skipped(told.skipped)
    from rich.console import Console

    Console().print(_table(told.report))
    typer.echo(f"Everything is in {told.directory}: duplicates.json and duplicates.csv.")


def _table(report: Mapping[str, Any]) -> object:
    """One column per kind of copy, one line per split and place of the copy."""
    table = figures_table("Faces with a copy", "faces", "exact", "near or exact")
    exact, near = report["exact"], report["near"]
    for split, faces in report["faces"].items():
        pair = exact["splits"][split], near["splits"][split]
        table.add_row(f"{split}, within", f"{faces:,}", *(_share(e["within"], faces) for e in pair))
        for other in pair[0]["also_in"]:
            counts = (e["also_in"][other]["faces"] for e in pair)
            table.add_row(f"{split}, also in {other}", "", *(_share(n, faces) for n in counts))
    disputed = (f"{kind['groups_with_different_labels']:,}" for kind in (exact, near))
    table.add_row("groups", "", f"{exact['groups']:,}", f"{near['groups']:,}")
    table.add_row("  with different labels", "", *disputed)
    return table


def _share(count: int, of: int) -> str:
    return f"{count:,} ({count / of:.1%})"
