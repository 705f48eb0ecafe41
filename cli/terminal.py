"""Text for a terminal: safe to show, and only where a person sees it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from core import escape_controls

_MAX_LISTED = 20
"""Skipped files that are listed by name."""


def make_printable(text: str) -> str:
    """Return ``text`` for a table on standard output, escaped where that cannot show it.

    Done before columns are measured, so that they stay aligned.
    """
    encoding = sys.stdout.encoding or "utf-8"
    return escape_controls(text).encode(encoding, "backslashreplace").decode(encoding)


def has_terminal() -> bool:
    """Return whether messages go to a terminal, not into a pipe or file."""
    return sys.stderr.isatty()


def print_progress(text: str) -> None:
    """Print ``text`` to stderr if that is a terminal."""
    if has_terminal():
        typer.echo(text, err=True)


def print_warning(text: str) -> None:
    """Print ``text`` to stderr in yellow."""
    typer.secho(escape_controls(text), fg="yellow", err=True)


def print_written(path: object) -> None:
    """Print to stderr that ``path`` was written."""
    typer.echo(escape_controls(f"Wrote {path}"), err=True)


def print_skipped(skipped: Sequence[str]) -> None:
    """Print to stderr the files that could not be read, each a line of name and reason."""
    if not skipped:
        return
    typer.echo(f"Skipped {len(skipped)} files that cannot be read:", err=True)
    for line in skipped[:_MAX_LISTED]:
        typer.echo(f"  {escape_controls(line)}", err=True)
    if len(skipped) > _MAX_LISTED:
        typer.echo(f"  and {len(skipped) - _MAX_LISTED} more", err=True)
