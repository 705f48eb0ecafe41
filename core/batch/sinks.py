"""Writing the table of a batch run as CSV, JSON lines or Parquet."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

from ..output.export import dumps
from ..output.table import COLUMN_NAMES, COLUMNS, ColumnType, format_csv_heading, format_csv_line
from .options import TableFormat
from .rows import Row

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
    lines: Iterable[str]
    if form is TableFormat.CSV:
        lines = itertools.chain([format_csv_heading()], map(format_csv_line, rows))
    else:
        records = (dict(zip(COLUMN_NAMES, row, strict=True)) for row in rows)
        lines = map(functools.partial(dumps, compact=True), records)
    file.writelines(line.encode() for line in lines)


def _write_parquet(file: IO[bytes], rows: Iterable[Row], about: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        ColumnType.TEXT: pa.string(),
        ColumnType.INTEGER: pa.int32(),
        ColumnType.NUMBER: pa.float64(),
        ColumnType.BOOLEAN: pa.bool_(),
    }
    fields = [
        pa.field(column.name, types[column.type], metadata={"meaning": column.meaning})
        for column in COLUMNS
    ]
    meaning = "the path where it is no UTF-8, else nothing"
    fields.append(pa.field("path_bytes", pa.binary(), metadata={"meaning": meaning}))
    schema = pa.schema(fields, metadata={"photo_emotion": json.dumps(dict(about), sort_keys=True)})
    open_writer: Any = pq.ParquetWriter  # pyarrow has no type stubs
    remaining = iter(rows)
    with open_writer(file, schema, compression="zstd") as writer:
        while group := list(itertools.islice(remaining, _ROWS_PER_GROUP)):
            records = [
                {
                    **dict(zip(COLUMN_NAMES, map(_to_utf8, row), strict=True)),
                    "path_bytes": _encode_odd_path(row[0]),
                }
                for row in group
            ]
            writer.write_table(pa.Table.from_pylist(records, schema=schema))


def _to_utf8(value: Any) -> Any:
    """Return text as valid UTF-8, which Parquet requires but a file name need not be."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def _encode_odd_path(path: str) -> bytes | None:
    """Return the bytes of a path that is not valid UTF-8; None for any other."""
    raw = path.encode(errors="surrogateescape")
    return raw if _to_utf8(path) != path else None
