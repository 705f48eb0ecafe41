"""Writing the table of a batch run as CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from ..output.export import dumps, spreadsheet_text
from .options import TableFormat
from .rows import COLUMN_NAMES, COLUMNS, Column, ColumnType, Row

_ROWS_PER_GROUP = 4096
"""Rows in a row group of a Parquet file; one or two megabytes as Python objects."""


def write_table(
    file: IO[bytes], form: TableFormat, rows: Iterable[Row], about: Mapping[str, Any]
) -> None:
    """Write ``rows`` to ``file``; ``about`` goes into a Parquet file's metadata.

    The same rows always give the same bytes.
    """
    if form is TableFormat.PARQUET:
        _write_parquet(file, rows, about)
        return
    lines = _format_csv(rows) if form is TableFormat.CSV else _format_json_lines(rows)
    for line in lines:
        file.write(line.encode())


def _format_json_lines(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield dumps(dict(zip(COLUMN_NAMES, row, strict=True)), compact=True)


def _format_csv(rows: Iterable[Row]) -> Iterator[str]:
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    for row in itertools.chain([COLUMN_NAMES], rows):
        writer.writerow(map(_format_cell, row))
        yield output.getvalue()
        output.seek(0)
        output.truncate()


def _format_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return spreadsheet_text(value) if isinstance(value, str) else value


def _write_parquet(file: IO[bytes], rows: Iterable[Row], about: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        ColumnType.TEXT: pa.string(),
        ColumnType.INTEGER: pa.int32(),
        ColumnType.NUMBER: pa.float64(),
        ColumnType.BOOLEAN: pa.bool_(),
    }
    raw_path = Column("path_bytes", ColumnType.TEXT, "the path where it is no UTF-8, else nothing")
    fields = [
        pa.field(column.name, types[column.type], metadata={"meaning": column.meaning})
        for column in COLUMNS
    ]
    fields.append(pa.field(raw_path.name, pa.binary(), metadata={"meaning": raw_path.meaning}))
    schema = pa.schema(fields, metadata={"photo_emotion": json.dumps(dict(about), sort_keys=True)})
    open_writer: Any = pq.ParquetWriter  # pyarrow has no type stubs
    with open_writer(file, schema, compression="zstd") as writer:
        for group in _group(rows):
            columns = [
                pa.array(map(_to_utf8, values), field.type)
                for field, values in zip(fields, zip(*group, strict=True), strict=False)
            ]
            columns.append(pa.array([_encode_odd_path(row[0]) for row in group], pa.binary()))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _to_utf8(value: Any) -> Any:
    """Return text as valid UTF-8, which Parquet requires but a file name need not be."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def _encode_odd_path(path: str) -> bytes | None:
    """Return the bytes of a path that is not valid UTF-8; None for any other."""
    raw = path.encode(errors="surrogateescape")
    return raw if _to_utf8(path) != path else None


def _group(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while group := list(itertools.islice(remaining, _ROWS_PER_GROUP)):
        yield group
