"""Text that is safe to show on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""``text`` with every control and direction character written as ``\x1b`` or ``\u202e``.

    A file may be named with escape sequences or right-to-left marks that would recolour,
    clear or reorder what a person reads. Line breaks stay.
    """
    return "".join(
        sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode()
        for sign in text
    )
