"""What has been answered so far, kept line by line, so that a run can end at any moment.

The journal lies beside the table and is locked while a run uses it. Its first line says what the
answers were made with, every other line is one file's answer. A line without its line feed was
torn by the end of a run; it is taken away and its file answered again.
"""

from __future__ import annotations

import contextlib
import json
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..files import write_all
from .disk_errors import report_disk_errors
from .rows import FileResult
from .source import FoundFile

_VERSION = 1
_NOWHERE = -1
_BLOCK_BYTES = 1024**2


class FileIndex:
    """Which files there are, and where in the journal their answers begin.

    Keeps a path and some thirty bytes of each.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._stamps = array("Q")
        self._offsets = array("q")
        self._found = bytearray()

    def add(self, path: str, stamp: str, offset: int) -> None:
        """Note that the answer to ``path``, as it was with ``stamp``, lies at ``offset``."""
        place = self._place(path)
        if self._stamps[place] == int(stamp, 16) or not self._found[place]:
            self._stamps[place], self._offsets[place] = int(stamp, 16), offset

    def find(self, found: FoundFile) -> None:
        """Note that a file is there."""
        place, stamp = self._place(found.path), int(found.stamp, 16)
        self._found[place] = True
        if self._stamps[place] != stamp:
            self._stamps[place], self._offsets[place] = stamp, _NOWHERE

    def stamp(self, path: str) -> str:
        """The stamp a file was found with."""
        return f"{self._stamps[self._places[path]]:016x}"

    def waiting(self) -> Iterator[str]:
        """The files that are there and not answered; answers may come in between."""
        for path, place in self._places.items():
            if self._found[place] and self._offsets[place] == _NOWHERE:
                yield path

    def answered(self) -> Iterator[tuple[str, int]]:
        """The files that are there with the places of their answers, sorted by path."""
        for path in sorted(self._places):
            place = self._places[path]
            if self._found[place] and self._offsets[place] != _NOWHERE:
                yield path, self._offsets[place]

    def counts(self) -> tuple[int, int]:
        """How many files are there, and how many of them answered."""
        done = sum(
            1
            for there, offset in zip(self._found, self._offsets, strict=True)
            if there and offset != _NOWHERE
        )
        return sum(self._found), done

    def _place(self, path: str) -> int:
        place = self._places.setdefault(path, len(self._places))
        if place == len(self._stamps):
            self._stamps.append(0)
            self._offsets.append(_NOWHERE)
            self._found.append(False)
        return place


class Journal:
    """The journal of one table, locked from the beginning to :meth:`close`.

    ConfigError when another run holds it, or the disk refuses something.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end = 0
        with report_disk_errors(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._lock()
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the journal; the lock ends with it, as it does when the process is killed."""
        os.close(self._descriptor)

    def begin(self, index: FileIndex, key: str, about: Mapping[str, Any], *, fresh: bool) -> None:
        """Enter what earlier runs with the same ``key`` answered into ``index``.

        Starts anew if ``fresh``, or if the key is another.
        """
        head = self._head()
        if head is not None and head.get("key") == key and not fresh:
            self._load(index)
            return
        with report_disk_errors(self.path):
            os.ftruncate(self._descriptor, 0)
            self._end = 0
            self._append(_line({"journal": _VERSION, "key": key, **about}))

    def append(self, index: FileIndex, answers: Sequence[FileResult]) -> None:
        """Keep ``answers`` for good, then enter them into ``index``."""
        lines = [
            _line({"path": each.path, "stamp": index.stamp(each.path), "rows": each.rows})
            for each in answers
        ]
        offset = self._end
        with report_disk_errors(self.path):
            self._append(b"".join(lines))
        for answer, line in zip(answers, lines, strict=True):
            index.add(answer.path, index.stamp(answer.path), offset)
            offset += len(line)

    def rows(self, offset: int) -> list[list[Any]]:
        """The rows of the answer that begins at ``offset``."""
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
        rows: list[list[Any]] = json.loads(data)["rows"]
        return rows

    def _append(self, data: bytes) -> None:
        try:
            os.lseek(self._descriptor, self._end, os.SEEK_SET)
            write_all(self._descriptor, data)
            os.fsync(self._descriptor)
        except OSError:
            # What did not fit entirely is taken back; if that fails too, the next run does it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(data)

    def _lock(self) -> None:
        import fcntl

        try:
            with report_disk_errors(self.path):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ConfigError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            raise ConfigError(
                f"Another run is writing {self.path.stem}.",
                hint="Wait until it has ended, or write to another file.",
            ) from None

    def _head(self) -> dict[str, Any] | None:
        """The first line; None where there is none that is understood."""
        for _, told in self._lines():
            return told if told is not None and told.get("journal") == _VERSION else None
        return None

    def _load(self, index: FileIndex) -> None:
        for offset, told in self._lines():
            # The head is none, and a line that a failing disk spoilt is as good as absent.
            if told is not None and {"path", "stamp", "rows"} <= told.keys():
                index.add(told["path"], told["stamp"], offset)
        with report_disk_errors(self.path):
            os.ftruncate(self._descriptor, self._end)

    def _lines(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Every line that has its end, with where it begins; None for one that is no JSON object.

        Sets the journal's end behind the last of them.
        """
        self._end = position = 0
        rest = b""
        while block := os.pread(self._descriptor, _BLOCK_BYTES, position):
            position += len(block)
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                offset, self._end = self._end, self._end + len(line) + 1
                yield offset, _understood(line)


def _understood(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _line(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":"), allow_nan=False).encode() + b"\n"
