"""How much one film may cost."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_SIDE_PX = 4096
"""Larger frames are refused: 8K takes 100 MB a frame, and no face needs it."""


def format_duration(seconds: float) -> str:
    """Return a duration as people say it: seconds below two minutes, minutes below two hours."""
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


@dataclass(frozen=True, slots=True)
class FilmLimits:
    """What a film may be and take; the defaults suit a person's own films.

    A server that reads films of strangers sets lower ones.
    """

    max_bytes: int = 64 * 1024**3
    max_seconds: float = 12 * 3600.0
    """Longest film: the recording of a whole day at work. What comes later is not read."""
    longest_side_px: int = LONGEST_SIDE_PX
    frame_seconds: int = 20
    """Time limit for one frame; a 4K frame takes 0.1 s."""
    memory_bytes: int = 2 * 1024**3
    """Added to what the decoder process holds at its start; 4K films take 0.6 GB."""
