"""Counting what came out of a batch run while its table is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from .options import BatchSummary
from .rows import COLUMN_NAMES, Row, Status

_STATUS, _FACE, _CERTAIN = (COLUMN_NAMES.index(name) for name in ("status", "face", "certain"))


class RowCounter:
    """The counts of one run."""

    def __init__(self, skipped: int, already_done: int) -> None:
        self._skipped = skipped
        self._answered_before = already_done
        self._counts: Counter[str] = Counter()

    def counting(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, counted as they pass."""
        for row in rows:
            status = row[_STATUS]
            if status == Status.FACE:
                self._counts["faces"] += 1
                self._counts["uncertain"] += not row[_CERTAIN]
            # A file's first row stands for the file.
            if status != Status.FACE or row[_FACE] == 1:
                self._counts[status] += 1
            yield row

    def summary(self) -> BatchSummary:
        """The counts so far."""
        counts = self._counts
        return BatchSummary(
            files=counts[Status.FACE] + counts[Status.NO_FACE] + counts[Status.FAILED],
            with_faces=counts[Status.FACE],
            without_faces=counts[Status.NO_FACE],
            failed=counts[Status.FAILED],
            faces=counts["faces"],
            uncertain=counts["uncertain"],
            skipped=self._skipped,
            already_done=self._answered_before,
        )
