"""One table of answers for the commands, batch runs, videos and the app."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..errors import ProjectError
from ..labels import EMOTIONS
from ..outputs import starts_with
from ..types import FaceAnalysis, ImageAnalysis, Provenance
from .export import document

_LINE_ENDS = "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""Every character at which some program begins a new line."""
NOT_SURE = "not sure"
"""The answer for a face without a certain one."""


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
    Column(
        "path",
        ColumnType.TEXT,
        "the file: in a batch run its path within the folder, with / between folders; otherwise "
        "its name",
    ),
    Column("status", ColumnType.TEXT, "`face`, `no face` or `failed`"),
    Column("time_s", ColumnType.NUMBER, "of the frame, seconds since the first; only in videos"),
    Column("width", ColumnType.INTEGER, "of the upright picture, pixels"),
    Column("height", ColumnType.INTEGER, "of the upright picture, pixels"),
    Column(
        "turned",
        ColumnType.INTEGER,
        "degrees clockwise by which the picture was turned before it was analyzed",
    ),
    Column("faces", ColumnType.INTEGER, "found in the file; in videos, in the frame"),
    Column(
        "face",
        ColumnType.INTEGER,
        "which of them this row is about, from left to right; in videos, the number it keeps",
    ),
    *(
        Column(name, ColumnType.NUMBER, "edge of the face, pixels")
        for name in ("x1", "y1", "x2", "y2")
    ),
    Column("score", ColumnType.NUMBER, "the detector's confidence that it is a face"),
    Column("answer", ColumnType.TEXT, f"the emotion, or `{NOT_SURE}`"),
    Column("top", ColumnType.TEXT, f"the most probable emotion, also if `{NOT_SURE}`"),
    Column("probability", ColumnType.NUMBER, "of `top`"),
    Column("certain", ColumnType.BOOLEAN, f"no means that the answer is `{NOT_SURE}`"),
    *(
        Column(str(emotion), ColumnType.NUMBER, "its calibrated probability")
        for emotion in EMOTIONS
    ),
    Column(
        "reading",
        ColumnType.TEXT,
        "what answer and probabilities are about: `people` or `fer2013`",
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
CSV_MARK = "\ufeff"
"""Begins every CSV table: without it Excel does not read the file as UTF-8."""
COLUMN_NAMES = tuple(column.name for column in COLUMNS)
FIRST_COLUMNS = COLUMN_NAMES[:3]
"""Every version's tables begin with these; so they tell whether a table is ours."""


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that could not be read or analyzed."""

    name: str
    error: str
    """Name of the error's class, such as ``UnreadableImage``."""
    message: str

    @classmethod
    def from_error(cls, name: str, error: ProjectError) -> FailedFile:
        """Return what a table says of ``error``, without the frames that an exception holds."""
        return cls(name, type(error).__name__, error.message)


def make_rows(
    result: ImageAnalysis | FailedFile, *, time_s: float | None = None
) -> list[dict[str, Any]]:
    """Return a row for each face, or one row for a file that has none or failed.

    The values are exactly those of :func:`.export.document`; a missing or None value is an empty
    cell. ``time_s`` is the time of a video's frame.
    """
    if isinstance(result, FailedFile):
        failure = {"error": result.error, "message": result.message}
        return [{"path": result.name, "status": str(Status.FAILED), **failure}]
    record = document(result)
    shared = {
        "path": record["name"],
        "status": str(Status.FACE if result.faces else Status.NO_FACE),
        "time_s": None if time_s is None else round(time_s, 3),
        "width": record["width"],
        "height": record["height"],
        "turned": record["turned"],
        "faces": len(record["faces"]),
        "notes": " ".join(record["notes"]) or None,
        **make_run_cells(result.provenance),
    }
    rows = [
        {**shared, **_make_face_cells(face, face_record)}
        for face, face_record in zip(result.faces, record["faces"], strict=True)
    ]
    return rows or [shared]


def _make_face_cells(face: FaceAnalysis, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "face": record["index"],
        **record["box"],
        **{name: record[name] for name in ("score", "top", "certain", "agreement")},
        "answer": record["top"] if record["certain"] else NOT_SURE,
        "probability": record["emotions"][record["top"]],
        **record["emotions"],
        "quality": " ".join(record["quality"]["reasons"]) or None,
        "per_model": format_network_answers(face),
    }


def make_run_cells(provenance: Provenance) -> dict[str, str]:
    """Return the cells that are the same in every row of a run."""
    return {
        "reading": provenance.reading,
        "model": provenance.model,
        "detector": provenance.detector,
        "run": compute_run_digest(provenance),
    }


def compute_run_digest(provenance: Provenance) -> str:
    """Return twelve hexadecimal digits over everything but the photo that affects a row."""
    text = json.dumps([COLUMN_NAMES, asdict(provenance)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def to_csv(results: Iterable[ImageAnalysis | FailedFile]) -> str:
    """Return the rows of all ``results`` as CSV with the columns :data:`COLUMNS`.

    It begins with :data:`CSV_MARK`. Rows of failed files name the same reading, model, detector
    and run as the others.
    """
    results = list(results)
    analyses = (each for each in results if isinstance(each, ImageAnalysis))
    run_cells = next((make_run_cells(each.provenance) for each in analyses), {})
    rows = ({**run_cells, **row} for result in results for row in make_rows(result))
    return format_csv_heading() + "".join(map(_format_csv_row, rows))


def format_csv_heading() -> str:
    """Return :data:`CSV_MARK` and the first line of every CSV table."""
    return CSV_MARK + format_csv_line(COLUMN_NAMES)


def is_csv_table(path: Path) -> bool:
    """Return whether a file is a CSV table of this program, of whatever version."""
    heading = f"{format_csv_line(FIRST_COLUMNS).rstrip()},"
    # Tables of earlier versions have no mark.
    return any(starts_with(start.encode())(path) for start in (CSV_MARK + heading, heading))


def format_csv_rows(analysis: ImageAnalysis, *, time_s: float | None = None) -> str:
    """Return the lines of :func:`make_rows` for one image, or frame of a video, without heading."""
    return "".join(map(_format_csv_row, make_rows(analysis, time_s=time_s)))


def _format_csv_row(row: dict[str, Any]) -> str:
    return format_csv_line(map(row.get, COLUMN_NAMES))


def format_csv_line(values: Iterable[Any]) -> str:
    """Return one line of a CSV file; see :func:`spreadsheet_text` for how text is escaped."""
    line = io.StringIO()
    # The module quotes a cell with a character of the line's end; some readers see one in others.
    csv.writer(line, lineterminator=_LINE_ENDS).writerow(map(_format_cell, values))
    return line.getvalue().removesuffix(_LINE_ENDS) + "\n"


def _format_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return spreadsheet_text(value) if isinstance(value, str) else value


def spreadsheet_text(text: str) -> str:
    r"""Return ``text`` for a CSV cell, with an apostrophe before a formula.

    Bytes that are not UTF-8 are written as in Python, e.g. ``\udce9``.
    """
    text = text.encode(errors="backslashreplace").decode()
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def format_network_answers(face: FaceAnalysis) -> str | None:
    """Return each network's answer, such as ``mobilenet_v2 happy 0.98; resnet50 sad 0.51``.

    None for a single network.
    """
    if len(face.per_model) < 2:
        return None
    best = {name: scores.ranked()[0] for name, scores in face.per_model.items()}
    return "; ".join(f"{name} {top} {share:.2f}" for name, (top, share) in best.items())
