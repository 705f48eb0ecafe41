"""Files that are replaced as a whole: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .errors import ConfigError

_BUFFER_BYTES = 1024**2
MAX_TEXT_BYTES = 256 * 1024**2
"""Of a file with settings, figures or boxes; the boxes of a million photos take less."""
_MOST_DIGITS = 18
"""Every whole number of so many digits is one of 64 bits."""
_NO_FOLDER_SYNC = frozenset(
    {errno.EACCES, errno.EPERM, errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.ENOTSUP}
)
"""Errors of file systems that cannot sync a folder, such as those of NAS boxes and shared folders
of virtual machines."""


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file for the new content of ``path``, which replaces the old content at the end.

    Until then the old content stays, also if the block raises or the process is killed. Raises
    OSError if the file cannot be written.
    """
    part = part_path(path)
    try:
        with _create_file(part) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _create_file(path: Path) -> IO[bytes]:
    """Create a file that is not there; a link of that name, wherever it leads, is removed first."""
    path.unlink(missing_ok=True)
    return path.open("xb", _BUFFER_BYTES)


def atomic_write(path: Path, data: bytes) -> None:
    """Write ``data`` as the whole content of ``path``, making its folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(data)


def open_ordinary_file(path: Path) -> IO[bytes]:
    """Open a file for reading; OSError if it cannot be read or is no ordinary file.

    A pipe or a device could be read forever, or make the program wait forever.
    """
    # Without the flag, opening a pipe waits for its other end.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no ordinary file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bounded(path: Path, most_bytes: int = MAX_TEXT_BYTES) -> bytes:
    """Return the content of an ordinary file; ValueError if it has more than ``most_bytes``."""
    with open_ordinary_file(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError(f"it has more than {most_bytes // 1024**2} MB")
    return data


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file; OSError or ValueError if it is none."""
    return read_bounded(path).decode("utf-8-sig")


def read_json(path: Path) -> Any:
    """Return the document in a JSON file; OSError or ValueError if there is none."""
    return parse_json(read_bounded(path))


def parse_json(data: bytes) -> Any:
    """Return a JSON document; ValueError if it is none.

    Numbers that no 64-bit value can hold, infinity and NaN are refused, and what is nested deeper
    than Python can follow: every one of them would raise another error somewhere else.
    """
    try:
        return json.loads(
            data, parse_int=_parse_int, parse_float=_parse_float, parse_constant=_parse_float
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _parse_int(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"the number {text[:20]}… is too large")
    return int(text)


def _parse_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is not finite")
    return value


def write_json(path: Path, document: object, *, indent: int = 2) -> None:
    """Write ``document`` as indented JSON that ends in a line feed; see :func:`atomic_write`."""
    atomic_write(path, (json.dumps(document, indent=indent) + "\n").encode())


@contextlib.contextmanager
def report_disk_errors(
    path: Path, *, hint: str = "Choose a folder that you may write to, on a disk with free space."
) -> Iterator[None]:
    """Raise ConfigError with ``hint`` for an OSError while ``path`` is written."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror or error}.", hint=hint) from error


def is_folder(path: Path) -> bool:
    """Return whether ``path`` is a folder; False also for a name that is too long for any."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for such a name


def part_path(path: Path) -> Path:
    """Return where the new content of ``path`` is written until it is complete."""
    return path.with_name(f".{path.name}.part")


def _sync_folder(folder: Path) -> None:
    """Make the new name last, where the file system can do this for a folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
