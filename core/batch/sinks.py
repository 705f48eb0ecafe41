"""The table of a batch run as CSV, JSON lines or Parquet."""

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

_ROWS_AT_ONCE = 4096
"""A megabyte or two as Python objects; also the row groups of a Parquet file."""


def write_table(
    file: IO[bytes], form: TableFormat, rows: Iterable[Row], about: Mapping[str, Any]
) -> None:
    """Write ``rows``; ``about`` goes into a Parquet file's metadata.

    The same rows give the same bytes.
    """
    if form is TableFormat.PARQUET:
        _write_parquet(file, rows, about)
        return
    lines = _csv_lines(rows) if form is TableFormat.CSV else _json_lines(rows)
    for line in lines:
        file.write(line.encode())


def _json_lines(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield dumps(dict(zip(COLUMN_NAMES, row, strict=True)), compact=True)


def _csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    for row in itertools.chain([COLUMN_NAMES], rows):
        writer.writerow(map(_cell, row))
        yield output.getvalue()
        output.seek(0)
        output.truncate()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return spreadsheet_text(value) if isinstance(value, str) else value


def _write_parquet(file: IO[bytes], rows: Iterable[Row], about: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        ColumnType.TEXT: pa.string(),
        ColumnType.COUNT: pa.int32(),
        ColumnType.NUMBER: pa.float64(),
        ColumnType.TRUTH: pa.bool_(),
    }
    raw_path = Column("path_bytes", ColumnType.TEXT, "the path where it is no UTF-8, else nothing")
    fields = [
        pa.field(each.name, types[each.kind], metadata={"meaning": each.meaning})
        for each in COLUMNS
    ]
    fields.append(pa.field(raw_path.name, pa.binary(), metadata={"meaning": raw_path.meaning}))
    schema = pa.schema(fields, metadata={"photo_emotion": json.dumps(dict(about), sort_keys=True)})
    writer_of: Any = pq.ParquetWriter  # which has no types
    with writer_of(file, schema, compression="zstd") as writer:
        for block in _blocks(rows):
            columns = [
                pa.array(map(_utf8, values), field.type)
                for field, values in zip(fields, zip(*block, strict=True), strict=False)
            ]
            columns.append(pa.array([_raw(row[0]) for row in block], pa.binary()))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _utf8(value: Any) -> Any:
    """Parquet's text is UTF-8, which not every file name is."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def _raw(path: str) -> bytes | None:
    raw = path.encode(errors="surrogateescape")
    return raw if _utf8(path) != path else None


def _blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while block := list(itertools.islice(waiting, _ROWS_AT_ONCE)):
        yield block
