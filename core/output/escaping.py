"""Makes text that others chose, such as a file's name, safe to show."""

from __future__ import annotations


def escape_controls(text: str, *, keep_lines: bool = False) -> str:
    r"""Return ``text`` with control and direction characters as ``\x1b`` or ``\u202e``.

    A file name may hold escape sequences or right-to-left marks that would recolour, clear or
    reorder what a person reads, and line breaks that would make it look like several messages.
    """
    kept = "\n" if keep_lines else ""
    return "".join(
        char if char.isprintable() or char in kept else char.encode("unicode_escape").decode()
        for char in text
    )
