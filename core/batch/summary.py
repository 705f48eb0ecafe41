"""Counting the rows of a batch run while its table is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from .options import BatchSummary
from .rows import COLUMN_NAMES, Row, Status

_STATUS, _FACE, _CERTAIN = (COLUMN_NAMES.index(name) for name in ("status", "face", "certain"))


class RowCounter:
    """Counts files and faces from the rows of the table."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield ``rows`` unchanged, counting each."""
        for row in rows:
            status = row[_STATUS]
            if status == Status.FACE:
                self._counts["faces"] += 1
                self._counts["uncertain"] += not row[_CERTAIN]
            # A file with faces has a row for each; only the first counts the file.
            if status != Status.FACE or row[_FACE] == 1:
                self._counts[status] += 1
            yield row

    def summarize(self, skipped: int, already_done: int) -> BatchSummary:
        """Return the counts so far."""
        counts = self._counts
        return BatchSummary(
            files=counts[Status.FACE] + counts[Status.NO_FACE] + counts[Status.FAILED],
            with_faces=counts[Status.FACE],
            without_faces=counts[Status.NO_FACE],
            failed=counts[Status.FAILED],
            faces=counts["faces"],
            uncertain=counts["uncertain"],
            skipped=skipped,
            already_done=already_done,
        )
