"""`emotion duplicates`: find copies of faces within a data set and across its splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.tables import make_table, print_tables
from cli.terminal import print_skipped
from core import check_output_folder

if TYPE_CHECKING:
    from rich.table import Table


def duplicates(
    *,
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            metavar="DIR_OR_ZIP",
            help="Faces in a folder for each class, a zip of such folders, or the folder with "
            "FER-2013's official CSV files. Can be given several times.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where to write the counts and the list.")
    ],
    threshold: Annotated[
        float,
        typer.Option("--threshold", min=0.5, max=1.0, help="Lowest correlation of near copies."),
    ] = 0.99,
) -> None:
    """Find copies of faces in a data set and across its splits.

    A test face with a copy among the training faces makes a network look better than it is.
    Comparing every pair takes minutes for tens of thousands of faces. Copies in folders with
    different names count as groups with different labels.
    """
    from training.data.duplicates import find_duplicates

    check_output_folder("--out", out, [*data])
    report, skipped = find_duplicates(data, out, threshold)
    print_skipped(skipped)
    print_tables(_make_table(report))
    typer.echo(f"Everything is in {out}: duplicates.json and duplicates.csv.")


def _make_table(report: Mapping[str, Any]) -> Table:
    """Return a column for each kind of copy, a row for each split and each place of the copies."""
    table = make_table("Faces with a copy", "faces", "exact", "near or exact")
    exact, near = report["exact"], report["near"]
    for split, faces in report["faces"].items():
        both = exact["splits"][split], near["splits"][split]
        within = (_format_share(copies["within"], faces) for copies in both)
        table.add_row(f"{split}, within", f"{faces:,}", *within)
        for other in both[0]["also_in"]:
            also = (_format_share(copies["also_in"][other]["faces"], faces) for copies in both)
            table.add_row(f"{split}, also in {other}", "", *also)
    disputed = (f"{kind['groups_with_different_labels']:,}" for kind in (exact, near))
    table.add_row("groups", "", f"{exact['groups']:,}", f"{near['groups']:,}")
    table.add_row("  with different labels", "", *disputed)
    return table


def _format_share(count: int, total: int) -> str:
    return f"{count:,} ({count / total:.1%})"
