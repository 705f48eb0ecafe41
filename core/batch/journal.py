"""The journal of a batch run: what is done so far, so that a run can end at any moment.

The journal lies beside the table and is locked while a run uses it. Its first line, the header,
says which weights and options made the results; every other line is the result of one file. Each
ends with a checksum. A line that was cut off at the end of a run, damaged, or written by another
program is not used, and its file is analyzed again.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ConfigError
from ..files import report_disk_errors
from .rows import FileResult, are_result_rows
from .source import FoundFile

_VERSION = 3
"""Increases when the header or the rows change their form."""
_NO_RESULT = -1
# A link would lead to a file that is not ours.
_OPEN_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
_BLOCK_BYTES = 1024**2
_STAMP = re.compile("[0-9a-f]{16}")
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL})
"""Errors of file systems without locks, such as some network drives."""

report_resumable_disk_errors = functools.partial(
    report_disk_errors,
    hint="Choose a folder that you may write to, on a disk with free space. The results so far are "
    "kept: the same command continues from there.",
)


class Skipped(NamedTuple):
    """How many files get no row."""

    others: int = 0
    """Links, pipes, devices, system files and folders."""
    films: int = 0
    """Films of Live Photos."""


class FileIndex:
    """The files of a run, and where in the journal their results begin.

    Takes about thirty bytes of memory for each file, and its path.
    """

    def __init__(self) -> None:
        self._slots: dict[str, int] = {}
        self._stamps = array("Q")
        self._offsets = array("q")
        self._exists = bytearray()

    def add_result(self, path: str, stamp: str, offset: int) -> None:
        """Record that the result of ``path``, as the file was with ``stamp``, is at ``offset``."""
        slot = self._get_slot(path)
        if self._stamps[slot] == int(stamp, 16) or not self._exists[slot]:
            self._stamps[slot], self._offsets[slot] = int(stamp, 16), offset

    def add_files(self, files: Iterable[FoundFile]) -> Skipped:
        """Record which files exist; return how many were skipped.

        A file that has changed since loses its result.
        """
        others = films = 0
        for file in files:
            if file.stamp is None:
                films += file.film
                others += not file.film
                continue
            slot, stamp = self._get_slot(file.path), int(file.stamp, 16)
            self._exists[slot] = True
            if self._stamps[slot] != stamp:
                self._stamps[slot], self._offsets[slot] = stamp, _NO_RESULT
        return Skipped(others, films)

    def get_stamp(self, path: str) -> str:
        """Return the stamp that ``path`` was found with."""
        return f"{self._stamps[self._slots[path]]:016x}"

    def iterate_pending(self) -> Iterator[str]:
        """Yield the files that exist and have no result; results may be added meanwhile."""
        for path, slot in self._slots.items():
            if self._exists[slot] and self._offsets[slot] == _NO_RESULT:
                yield path

    def iterate_results(self) -> Iterator[tuple[str, int]]:
        """Yield the files that exist with the offsets of their results, sorted by path."""
        for path in sorted(self._slots):
            slot = self._slots[path]
            if self._exists[slot] and self._offsets[slot] != _NO_RESULT:
                yield path, self._offsets[slot]

    def count(self) -> tuple[int, int]:
        """Return how many files exist, and how many of them have a result."""
        files = zip(self._exists, self._offsets, strict=True)
        return sum(self._exists), sum(exists and offset != _NO_RESULT for exists, offset in files)

    def _get_slot(self, path: str) -> int:
        slot = self._slots.setdefault(path, len(self._slots))
        if slot == len(self._stamps):
            self._stamps.append(0)
            self._offsets.append(_NO_RESULT)
            self._exists.append(False)
        return slot


class Journal:
    """The journal of one table, locked until :meth:`close`.

    ConfigError if another run holds it, or if the disk fails.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        """Lines that could not be used; their files are analyzed again."""
        self.is_locked = True
        """False where the file system has no locks: a second run would not be noticed."""
        self._end = 0
        with report_resumable_disk_errors(path):
            self._descriptor = os.open(path, _OPEN_FLAGS, 0o666)
        try:
            self._lock()
        except BaseException:
            os.close(self._descriptor)
            raise

    def close(self) -> None:
        """Close the journal and release its lock, as the system does for a killed process."""
        os.close(self._descriptor)

    def load_or_reset(self, index: FileIndex, run: Mapping[str, Any], *, fresh: bool) -> None:
        """Add the results of earlier parts of the same ``run`` to ``index``, or empty the journal.

        It is emptied if ``fresh``, or if it has no results. ConfigError if it has results of
        another run: they are never thrown away unasked. ``run`` is JSON-ready.
        """
        lines = self._read_lines()
        _, header = next(lines, (0, {}))
        expected = {"journal": _VERSION, **run}
        if not fresh and header == expected:
            for offset, record in lines:
                if _is_result(record):
                    index.add_result(record["path"], record["stamp"], offset)
                else:
                    self.damaged += 1
            with report_resumable_disk_errors(self.path):
                os.ftruncate(self._descriptor, self._end)
            return
        # The results of an older version have no checksum.
        if not fresh and any(record or "journal" in header for _, record in lines):
            raise ConfigError(
                f"{self.path.stem} cannot be continued: its journal has results of "
                f"{_describe_difference(header, expected)}.",
                hint="Write to another file; or analyze all files again, with the option --fresh "
                "(in Python: fresh=True).",
            )
        with report_resumable_disk_errors(self.path):
            os.ftruncate(self._descriptor, 0)
            self._end = 0
            self._append_bytes(_format_line(expected))

    def append(self, index: FileIndex, results: Sequence[FileResult]) -> None:
        """Write ``results`` to the disk, then add them to ``index``."""
        lines = [
            _format_line(
                {"path": result.path, "stamp": index.get_stamp(result.path), "rows": result.rows}
            )
            for result in results
        ]
        offset = self._end
        with report_resumable_disk_errors(self.path):
            self._append_bytes(b"".join(lines))
        for result, line in zip(results, lines, strict=True):
            index.add_result(result.path, index.get_stamp(result.path), offset)
            offset += len(line)

    def read_rows(self, offset: int) -> list[list[Any]]:
        """Return the rows of the result that begins at ``offset``."""
        data = b""
        while not data.endswith(b"\n"):
            block = os.pread(self._descriptor, 4096, offset + len(data))
            line, feed, _ = block.partition(b"\n")
            data += line + feed
            if not block:
                raise ConfigError(
                    f"{self.path.name} was cut off while it was in use.",
                    hint="Run the same command again.",
                )
        record = _parse_line(data.removesuffix(b"\n"))
        if not _is_result(record):
            raise ConfigError(
                f"{self.path.name} was damaged while it was in use.",
                hint="Run the same command again.",
            )
        rows: list[list[Any]] = record["rows"]
        return rows

    def _append_bytes(self, data: bytes) -> None:
        try:
            os.lseek(self._descriptor, self._end, os.SEEK_SET)
            rest = memoryview(data)
            while rest:  # one call of the system may write less
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError:
            # Remove a line that fits only in part; if that fails too, the next run removes it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(data)

    def _lock(self) -> None:
        import fcntl

        try:
            with report_resumable_disk_errors(self.path):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ConfigError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno in _NO_LOCKS:
                self.is_locked = False
                return
            if not isinstance(cause, BlockingIOError):
                raise
            raise ConfigError(
                f"Another run is writing {self.path.stem}.",
                hint="Wait until it has finished, or write to another file.",
            ) from None

    def _read_lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each complete line with its offset; {} for one that is not as it was written.

        Sets the journal's end behind the last complete line.
        """
        self._end = position = 0
        rest = b""
        while block := os.pread(self._descriptor, _BLOCK_BYTES, position):
            position += len(block)
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                offset, self._end = self._end, self._end + len(line) + 1
                yield offset, _parse_line(line)


def _describe_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in words which run made a journal with the header ``before``, unlike this one."""
    if "journal" not in before or not isinstance(before.get("provenance"), dict):
        return "an unknown run, because its first line is damaged"
    if before["journal"] != now["journal"]:
        return "another version of this program"
    facts, facts_now = before["provenance"], now["provenance"]
    for fact in ("version", "model", "detector", "landmarks", "reading"):
        if facts.get(fact) != facts_now[fact]:
            return f"a run with {fact} {facts.get(fact)} instead of {facts_now[fact]}"
    if facts.get("weights_sha256") != facts_now["weights_sha256"]:
        return "a run with other weights"
    if before.get("annotate") != now["annotate"]:
        return "a run with another folder for annotated copies, or none"
    return "a run with other options"


def _parse_line(line: bytes) -> dict[str, Any]:
    text, _, checksum = line.rpartition(b" ")
    if checksum != _compute_checksum(text):
        return _parse_old_header(line)
    record = _parse_json(text)
    return record if isinstance(record, dict) else {}


def _parse_old_header(line: bytes) -> dict[str, Any]:
    """Return the header of a journal from before there were checksums; {} for anything else."""
    record = _parse_json(line)
    return record if isinstance(record, dict) and record.get("journal") in (1, 2) else {}


def _parse_json(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_result(record: Mapping[str, Any]) -> bool:
    """Return whether ``record`` is a file's result: anyone can compute a line's checksum."""
    path, stamp = record.get("path"), record.get("stamp")
    return (
        isinstance(path, str)
        and isinstance(stamp, str)
        and _STAMP.fullmatch(stamp) is not None
        and are_result_rows(record.get("rows"))
    )


def _format_line(record: Mapping[str, Any]) -> bytes:
    text = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
    return text + b" " + _compute_checksum(text) + b"\n"


def _compute_checksum(text: bytes) -> bytes:
    return f"{zlib.crc32(text):08x}".encode()
