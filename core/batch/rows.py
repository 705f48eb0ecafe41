"""The rows of each file of a batch run, as they cross processes and lie in the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ProjectError
from ..output.table import (
    COLUMN_NAMES,
    COLUMNS,
    ColumnType,
    FailedFile,
    Status,
    make_rows,
    make_run_cells,
)
from ..types import ImageAnalysis, Provenance

Row = tuple[Any, ...]
"""Values in the order of :data:`.table.COLUMNS`; None for an empty cell."""


_STATUS, _FACE, _CERTAIN = (COLUMN_NAMES.index(name) for name in ("status", "face", "certain"))
_RUN_COLUMNS = ("reading", "model", "detector", "run")
"""Columns with the same value in every row, see :func:`.table.make_run_cells`."""
RESULT_COLUMNS = tuple(name for name in COLUMN_NAMES if name not in ("path", *_RUN_COLUMNS))
"""Columns with values of the file or the face."""
_EMPTY = type(None)
_TYPES = {
    ColumnType.TEXT: (str, _EMPTY),
    ColumnType.INTEGER: (int, _EMPTY),
    ColumnType.NUMBER: (int, float, _EMPTY),
    ColumnType.BOOLEAN: (bool, _EMPTY),
}
_RESULT_TYPES = tuple(_TYPES[each.type] for each in COLUMNS if each.name in RESULT_COLUMNS)


@dataclass(frozen=True, slots=True)
class FileResult:
    """The rows of one file; crosses a process boundary."""

    path: str
    rows: tuple[tuple[Any, ...], ...]
    """One or more; values in the order of :data:`RESULT_COLUMNS`."""

    @classmethod
    def from_analysis(cls, path: str, analysis: ImageAnalysis) -> FileResult:
        """Return the rows of one file."""
        return cls._from_rows(path, make_rows(analysis))

    @classmethod
    def from_error(cls, path: str, error: ProjectError) -> FileResult:
        """Return the single row of a file that could not be read or analyzed."""
        return cls._from_rows(path, make_rows(FailedFile.from_error(path, error)))

    @classmethod
    def _from_rows(cls, path: str, rows: Iterable[Mapping[str, Any]]) -> FileResult:
        return cls(path, tuple(tuple(map(row.get, RESULT_COLUMNS)) for row in rows))


def are_result_rows(rows: object) -> bool:
    """Return whether ``rows`` could be those of a file: one or more, with the columns' types."""
    return isinstance(rows, list) and bool(rows) and all(map(_is_result_row, rows))


def _is_result_row(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) == len(_RESULT_TYPES)
        and all(type(cell) in types for cell, types in zip(row, _RESULT_TYPES, strict=True))
    )


def complete_rows(
    results: Iterable[tuple[str, Iterable[Sequence[Any]]]], provenance: Provenance
) -> Iterator[Row]:
    """Yield the table's rows for each path and its rows in the order of :data:`RESULT_COLUMNS`."""
    shared = make_run_cells(provenance)
    for path, rows in results:
        for values in rows:
            cells = {"path": path, **dict(zip(RESULT_COLUMNS, values, strict=True)), **shared}
            yield tuple(cells[name] for name in COLUMN_NAMES)


def count_rows(rows: Iterable[Row], counts: Counter[str]) -> Iterator[Row]:
    """Yield ``rows`` unchanged; add files by status, and all and uncertain faces, to ``counts``."""
    for row in rows:
        status = row[_STATUS]
        if status == Status.FACE:
            counts["faces"] += 1
            counts["uncertain"] += not row[_CERTAIN]
        # A file with faces has a row for each; only the first counts the file.
        if status != Status.FACE or row[_FACE] == 1:
            counts[status] += 1
        yield row
