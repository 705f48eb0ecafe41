"""Tables of figures on standard output."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core import format_metric, format_with_interval

if TYPE_CHECKING:
    from rich.console import JustifyMethod
    from rich.table import Table
    from rich.text import Text


def make_table(
    first: str,
    *others: str,
    rows: Iterable[Sequence[str | Text]] = (),
    left: Collection[str] = (),
    unbroken: Collection[str] = (),
) -> Table:
    """Return a table of ``rows``: the first column and those in ``left`` are left-aligned.

    Columns in ``unbroken`` are as wide as their longest text.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (first, *others):
        justify: JustifyMethod = "left" if heading == first or heading in left else "right"
        # Folded, because a long name that is cut off would not say which photo it is.
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=heading in unbroken)
    for row in rows:
        table.add_row(*row)
    return table


def print_tables(*tables: Table) -> None:
    """Print the tables with an empty line between them."""
    from rich.console import Console

    console = Console()
    for number, table in enumerate(tables):
        if number:
            console.print()
        console.print(table)


def format_percent(metrics: Mapping[str, Any], name: str) -> str:
    """Return the metric ``name`` in percent, with its interval if it has one; "-" if missing."""
    return format_metric(metrics, name, ".1%", absent="-")


def format_points(difference: Mapping[str, Any]) -> str:
    """Return a difference of two shares in percentage points, with its interval."""
    return format_with_interval(difference["value"], difference["interval"], "+.1f", scale=100)
