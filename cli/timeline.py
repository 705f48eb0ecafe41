"""The table of the faces in a film."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.tables import make_table, print_tables
from core import Reading

if TYPE_CHECKING:
    from core import FilmSummary

_MAX_LISTED = 40
"""Faces in the table: those seen longest. A film of two hours can have thousands."""


def print_film_table(summary: FilmSummary) -> None:
    """Print when each face was seen, and what the answers for it were."""
    table = make_table("Face", "Seen", "Frames", "Answers", left=("Seen", "Answers"))
    faces = summary.list_longest(_MAX_LISTED)
    for face in sorted(faces, key=lambda each: each.number):
        frames = face.frames.total()
        answers = (
            f"{answer or 'not sure'} in {100 * n / frames:.0f} %"
            for answer, n in face.frames.most_common(3)
        )
        seen = f"{face.first_s:.1f} to {face.last_s:.1f} s"
        table.add_row(str(face.number), seen, str(frames), ", ".join(answers))
    if not faces:
        table.add_row("-", "", "", "no face found")
    print_tables(table)
    more = len(summary.faces) - _MAX_LISTED
    if more > 0:
        typer.echo(f"and {more} more faces, seen in fewer frames")
    if faces:
        about = (
            "what most people would see"
            if summary.reading is Reading.PEOPLE
            else "the most likely label of FER-2013"
        )
        typer.echo(f"\nAnswers: {about}, and in how many of the frames.")
