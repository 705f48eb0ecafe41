"""Tables of figures on standard output."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import JustifyMethod
    from rich.table import Table
    from rich.text import Text


def make_table(
    first: str,
    *others: str,
    rows: Iterable[Sequence[str | Text]] = (),
    left: Collection[str] = (),
) -> Table:
    """Return a table of ``rows``: the first column and those in ``left`` are left-aligned."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (first, *others):
        justify: JustifyMethod = "left" if heading == first or heading in left else "right"
        # Folded, because a long name that is cut off would not say which photo it is.
        table.add_column(heading, justify=justify, overflow="fold")
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
    if metrics.get(name) is None:
        return "-"
    text = f"{metrics[name]:.1%}"
    interval = metrics.get(f"{name}_interval")
    return f"{text} ({interval[0]:.1%} to {interval[1]:.1%})" if interval else text


def format_points(difference: Mapping[str, Any]) -> str:
    """Return a difference of two shares in percentage points, with its interval."""
    low, high = (100 * bound for bound in difference["interval"])
    return f"{100 * difference['value']:+.1f} ({low:+.1f} to {high:+.1f})"
