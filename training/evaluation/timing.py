"""Times of several ways to do the same work, taken in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

Work = Callable[[], object]

PAUSE_S = 0.05
"""The threads of the previous way keep a core busy for a moment, waiting for more work."""


def time_in_turns(ways: Mapping[str, Sequence[Work]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each piece of each way's work, as the median over the rounds.

    The ways take turns piece by piece, so that a busy moment of the machine affects all alike.
    Every piece is done once unmeasured before.
    """
    pieces = min(len(each) for each in ways.values())
    taken: dict[str, list[list[float]]] = {name: [[] for _ in range(pieces)] for name in ways}
    for turn in range(rounds + 1):
        for piece in range(pieces):
            for name, works in ways.items():
                time.sleep(PAUSE_S)
                started = time.perf_counter()
                works[piece]()
                if turn:
                    taken[name][piece].append(time.perf_counter() - started)
    return {name: [statistics.median(each) for each in rows] for name, rows in taken.items()}


def summarize_seconds(seconds: Sequence[float]) -> dict[str, float]:
    """Return median, 95th percentile and mean in milliseconds."""
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {
        "p50_ms": round(1000 * statistics.median(ordered), 2),
        "p95_ms": round(1000 * last, 2),
        "mean_ms": round(1000 * statistics.fmean(ordered), 2),
    }
