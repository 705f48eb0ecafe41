"""Measured figures as a terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


def figures_table(first: str, *others: str) -> Table:
    """An empty table with names in its first column and figures in the others."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right")
    return table


def rows_table(rows: Sequence[tuple[str, ...]]) -> Table:
    """A table of ``rows``, of which the first has the headings."""
    table = figures_table(*rows[0])
    for row in rows[1:]:
        table.add_row(*row)
    return table


def share(figures: Mapping[str, Any], name: str) -> str:
    """The figure called ``name`` in percent with its interval, where it has one."""
    if name not in figures:
        return "-"
    text = f"{figures[name]:.1%}"
    low_high = figures.get(f"{name}_interval")
    return f"{text} ({low_high[0]:.1%} to {low_high[1]:.1%})" if low_high else text


def points(difference: Mapping[str, Any]) -> str:
    """A difference of two shares in points, with its interval."""
    low, high = (100 * each for each in difference["interval"])
    return f"{100 * difference['value']:+.1f} ({low:+.1f} to {high:+.1f})"
