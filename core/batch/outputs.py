"""What a batch run writes, checked before it does anything."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..output.table import FIRST_COLUMNS, is_csv_table
from ..outputs import Output, check_folder_name, check_outputs, contains, starts_with
from .options import BatchOptions, TableFormat
from .source import LocalFolder, Source

_MOST_ROW_BYTES = 64 * 1024
_JOURNAL = b'{"journal":'
_is_journal = starts_with(_JOURNAL)
_has_report_mark = contains(b'<meta name="generator" content="emotion batch">')
_has_report_title = contains(b"<title>Emotions of ")


def journal_path(out: Path) -> Path:
    """Return the path of the journal for the table ``out``."""
    return out.with_name(f"{out.name}.journal")


def check_batch_outputs(options: BatchOptions, source: Source) -> None:
    """Raise ConfigError if the run would write over a photo or a file that is not ours."""
    journal = journal_path(options.out)
    outputs = [
        Output("--out", options.out, is_ours=_is_our_table),
        Output("the journal", journal, is_ours=_is_our_journal),
    ]
    if options.report is not None:
        outputs.append(Output("--report", options.report, is_ours=_is_report))
    # os.path, because Path.exists raises for a name that is too long; a check below says so.
    there = [each for each in outputs if os.path.exists(each.path)]  # noqa: PTH110
    foreign = [each for each in there if not each.is_ours(each.path)]
    photos = list(_list_photos(source)) if foreign else []
    check_outputs(outputs, photos, overwrite=options.overwrite, makes_folders=True)
    _check_annotated_folder(options.annotate, source)


def _check_annotated_folder(folder: Path | None, source: Source) -> None:
    """Raise ConfigError if copies would lie among the photos and be read as photos."""
    if folder is None or not isinstance(source, LocalFolder):
        return
    check_folder_name("--annotate", folder)
    # A folder inside that of the photos is left out when they are listed.
    around = [source.root, *source.root.parents]
    if folder in around or (folder.exists() and any(map(folder.samefile, around))):
        raise ConfigError(
            f"--annotate {folder} has the photos in it.",
            hint="Name another folder, or a new one inside it, so that no copy is read as a photo.",
        )


def _list_photos(source: Source) -> Iterator[Path]:
    """Yield every file that the run could read; none in an object store."""
    if isinstance(source, LocalFolder):
        yield from (source.root / file.path for file in source.walk() if file.stamp is not None)


def _is_our_table(path: Path) -> bool:
    """Return whether a file is a table of an earlier run, finished or not."""
    journal = journal_path(path)
    if _is_journal(journal):
        return True
    ending = path.suffix.removeprefix(".").lower()
    if ending == TableFormat.CSV:
        return is_csv_table(path)
    if ending == TableFormat.JSONL:
        return _has_our_columns(path)
    return starts_with(b"PAR1")(path) and _has_our_metadata(path)


def _is_report(path: Path) -> bool:
    """Return whether a file is a report of an earlier run; the first version's has no mark."""
    return _has_report_mark(path) or _has_report_title(path)


def _has_our_columns(path: Path) -> bool:
    """Return whether the first line of a file is a row of a table."""
    try:
        with path.open("rb") as file:
            row = json.loads(file.readline(_MOST_ROW_BYTES))
    except (OSError, ValueError):
        return False
    return isinstance(row, dict) and tuple(row)[: len(FIRST_COLUMNS)] == FIRST_COLUMNS


def _has_our_metadata(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    read_schema: Any = pq.read_schema  # pyarrow has no type stubs
    try:
        return b"photo_emotion" in (read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def _is_our_journal(path: Path) -> bool:
    """Return whether a file is a journal, also one cut off or with zeros from a failing disk."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            start = file.read(_MOST_ROW_BYTES)
    except OSError:
        return False
    if _JOURNAL.startswith(start[: len(_JOURNAL)]):
        return True
    # Journals of other programs may begin with zeros as well.
    return start.startswith(b"\0") and (b'"stamp":' in start or not start.strip(b"\0"))
