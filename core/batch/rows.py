"""The table of a batch run: its columns, and the rows of each file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import ProjectError
from ..labels import EMOTIONS
from ..output.export import document, opinions
from ..types import ImageAnalysis, Provenance

Row = tuple[Any, ...]
"""Values in the order of :data:`COLUMNS`; None where a column says nothing."""


class ColumnType(StrEnum):
    """What a column holds."""

    TEXT = "text"
    COUNT = "whole number"
    NUMBER = "number"
    TRUTH = "yes or no"


class Status(StrEnum):
    """What a row tells about its file."""

    FACE = "face"
    NO_FACE = "no face"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table."""

    name: str
    kind: ColumnType
    meaning: str


COLUMNS = (
    Column("path", ColumnType.TEXT, "the file, from the folder of the run, with / between folders"),
    Column("status", ColumnType.TEXT, "`face`, `no face` or `failed`"),
    Column("width", ColumnType.COUNT, "of the upright picture, pixels"),
    Column("height", ColumnType.COUNT, "of the upright picture, pixels"),
    Column("faces", ColumnType.COUNT, "found in the file"),
    Column("face", ColumnType.COUNT, "which of them this row is about, from left to right"),
    *(
        Column(name, ColumnType.NUMBER, "edge of the face, pixels")
        for name in ("x1", "y1", "x2", "y2")
    ),
    Column("score", ColumnType.NUMBER, "the detector's confidence that it is a face"),
    Column("top", ColumnType.TEXT, "the most probable emotion"),
    Column("certain", ColumnType.TRUTH, "whether it is probable enough; otherwise: not sure"),
    *(Column(str(each), ColumnType.NUMBER, "its calibrated probability") for each in EMOTIONS),
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
_SAME_FOR_ALL = ("model", "detector", "run")
RESULT_COLUMNS = COLUMN_NAMES[1 : -len(_SAME_FOR_ALL)]
"""The columns that an answer fills."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of one file; crosses a process boundary."""

    path: str
    rows: tuple[tuple[Any, ...], ...]
    """At least one, values in the order of :data:`RESULT_COLUMNS`."""


def answered(path: str, analysis: ImageAnalysis) -> FileResult:
    """One row for each face with the very values of ``document``, or one that tells of none."""
    told = document(analysis)
    both = {
        "width": told["width"],
        "height": told["height"],
        "faces": len(told["faces"]),
        "notes": " ".join(told["notes"]) or None,
    }
    rows = [
        {
            **both,
            "status": Status.FACE,
            "face": face["index"],
            **face["box"],
            **face["emotions"],
            **{name: face[name] for name in ("score", "top", "certain", "agreement")},
            "quality": " ".join(face["quality"]["reasons"]) or None,
            "per_model": opinions(answer),
        }
        for face, answer in zip(told["faces"], analysis.faces, strict=True)
    ]
    return FileResult(path, tuple(map(_told, rows or [{**both, "status": Status.NO_FACE}])))


def failed(path: str, error: ProjectError) -> FileResult:
    """The one row of a file that could not be answered."""
    row = {"status": Status.FAILED, "error": type(error).__name__, "message": error.message}
    return FileResult(path, (_told(row),))


def _told(values: Mapping[str, Any]) -> tuple[Any, ...]:
    # Plain text, for an enum's member would not come back as one from the journal.
    row = (values.get(name) for name in RESULT_COLUMNS)
    return tuple(str(each) if isinstance(each, str) else each for each in row)


def complete(path: str, told: Sequence[Any], provenance: Provenance, run: str) -> Row:
    """A row of the table."""
    return (path, *told, provenance.model, provenance.detector, run)
