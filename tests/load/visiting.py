"""Visitors of either front: send many at once and count what becomes of their photos."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tests.load.photos import Album, Photo

LONGEST_S = 120
"""For one photo, including everybody before it in the queue."""
_PAUSE_S = 1.0
"""Before a visitor who was turned away tries again."""


class BusyError(Exception):
    """The front says that too many photos are waiting."""


class Visitor(Protocol):
    """One visit, with one photo after another."""

    async def ask(self, photo: Photo) -> str:
        """Return what is wrong with the answer, empty if nothing is. Raises BusyError."""


Front = Callable[[str], AbstractAsyncContextManager[Visitor]]
"""Opens a visit of the page at an address."""


@dataclass(slots=True)
class Tally:
    """Counts and times of all photos."""

    seconds: list[float] = field(default_factory=list)
    """From sending a photo to its answer, without attempts that were turned away."""
    busy_seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def metrics(self, elapsed_s: float) -> dict[str, object]:
        """Return the numbers for the report."""
        answered = len(self.seconds)
        return {
            "answered": answered,
            "wrong": len(self.wrong),
            "lost": len(self.lost),
            "photos_per_second": round(answered / elapsed_s, 2),
            "p50_s": _quantile(self.seconds, 0.5),
            "p95_s": _quantile(self.seconds, 0.95),
            "slowest_s": _quantile(self.seconds, 1.0),
            "told_busy": len(self.busy_seconds),
            "busy_told_after_p95_s": _quantile(self.busy_seconds, 0.95),
            "busy_told_after_most_s": _quantile(self.busy_seconds, 1.0),
        }


async def visit(front: Front, address: str, album: Album, *, visitors: int, photos: int) -> Tally:
    """Send everybody at once, each with photo after photo."""
    tally = Tally()
    async with asyncio.TaskGroup() as group:
        for visitor in range(visitors):
            group.create_task(
                _one_visit(front, address, list(album.photos_for(visitor, photos)), tally)
            )
    return tally


async def _one_visit(front: Front, address: str, photos: list[Photo], tally: Tally) -> None:
    async with front(address) as visitor:
        for photo in photos:
            try:
                async with asyncio.timeout(LONGEST_S):
                    await _repeat_until_answered(visitor, photo, tally)
            except TimeoutError:
                tally.lost.append(photo.name)


async def _repeat_until_answered(visitor: Visitor, photo: Photo, tally: Tally) -> None:
    while True:
        started = time.monotonic()
        try:
            problem = await visitor.ask(photo)
        except BusyError:
            tally.busy_seconds.append(time.monotonic() - started)
            await asyncio.sleep(_PAUSE_S)
            continue
        tally.seconds.append(time.monotonic() - started)
        if problem:
            tally.wrong.append(f"{photo.name}: {problem}")
        return


def _quantile(values: list[float], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 3) if values else None
