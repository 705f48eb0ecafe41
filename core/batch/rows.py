"""The table of a batch run: its columns, and the rows of each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import ProjectError
from ..labels import EMOTIONS
from ..output.export import make_rows
from ..types import ImageAnalysis

Row = tuple[Any, ...]
"""Values in the order of :data:`COLUMNS`; None for an empty cell."""


class ColumnType(StrEnum):
    """The type of a column's values."""

    TEXT = "text"
    INTEGER = "whole number"
    NUMBER = "number"
    BOOLEAN = "yes or no"


class Status(StrEnum):
    """What a row says about its file."""

    FACE = "face"
    NO_FACE = "no face"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table."""

    name: str
    type: ColumnType
    meaning: str


COLUMNS = (
    Column("path", ColumnType.TEXT, "the file, from the folder of the run, with / between folders"),
    Column("status", ColumnType.TEXT, "`face`, `no face` or `failed`"),
    Column("width", ColumnType.INTEGER, "of the upright picture, pixels"),
    Column("height", ColumnType.INTEGER, "of the upright picture, pixels"),
    Column("faces", ColumnType.INTEGER, "found in the file"),
    Column("face", ColumnType.INTEGER, "which of them this row is about, from left to right"),
    *(
        Column(name, ColumnType.NUMBER, "edge of the face, pixels")
        for name in ("x1", "y1", "x2", "y2")
    ),
    Column("score", ColumnType.NUMBER, "the detector's confidence that it is a face"),
    Column("top", ColumnType.TEXT, "the most probable emotion"),
    Column("certain", ColumnType.BOOLEAN, "whether it is probable enough; otherwise: not sure"),
    *(
        Column(str(emotion), ColumnType.NUMBER, "its calibrated probability")
        for emotion in EMOTIONS
    ),
    Column("quality", ColumnType.TEXT, "what makes the answer less reliable"),
    Column("agreement", ColumnType.TEXT, "of an ensemble's networks: `all`, `majority` or `split`"),
    Column("per_model", ColumnType.TEXT, "what each of them says: its most probable emotion"),
    Column("notes", ColumnType.TEXT, "what to know about how the file was read"),
    Column("error", ColumnType.TEXT, "kind of failure, such as `UnreadableImage`"),
    Column("message", ColumnType.TEXT, "the failure in words"),
    Column("model", ColumnType.TEXT, "the network that answered"),
    Column("detector", ColumnType.TEXT, "what found the faces"),
    Column("run", ColumnType.TEXT, "digest of weights, options and version"),
)
COLUMN_NAMES = tuple(column.name for column in COLUMNS)
_RUN_COLUMNS = ("model", "detector", "run")
"""Columns with the same value in every row."""
_STATUS, _FACE, _CERTAIN = (COLUMN_NAMES.index(name) for name in ("status", "face", "certain"))
RESULT_COLUMNS = COLUMN_NAMES[1 : -len(_RUN_COLUMNS)]
"""Columns with values of the file or the face: all but the path and :data:`_RUN_COLUMNS`."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """The rows of one file; crosses a process boundary."""

    path: str
    rows: tuple[tuple[Any, ...], ...]
    """One or more; values in the order of :data:`RESULT_COLUMNS`."""

    @classmethod
    def from_analysis(cls, path: str, analysis: ImageAnalysis) -> FileResult:
        """Return the rows of :func:`.export.make_rows` for one file."""
        status = Status.FACE if analysis.faces else Status.NO_FACE
        rows = ({**row, "status": status} for row in make_rows(analysis))
        return cls(path, tuple(map(_order_values, rows)))

    @classmethod
    def from_error(cls, path: str, error: ProjectError) -> FileResult:
        """Return the single row of a file that could not be read or analyzed."""
        row = {"status": Status.FAILED, "error": type(error).__name__, "message": error.message}
        return cls(path, (_order_values(row),))


def _order_values(row: Mapping[str, Any]) -> tuple[Any, ...]:
    # Enum members become plain text, as they are when they come back from the journal.
    values = (row.get(name) for name in RESULT_COLUMNS)
    return tuple(str(value) if isinstance(value, str) else value for value in values)


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
