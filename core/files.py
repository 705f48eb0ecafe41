"""Files that are replaced as a whole: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .errors import ConfigError

_BUFFER_BYTES = 1024**2
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
        with part.open("wb", _BUFFER_BYTES) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def atomic_write(path: Path, data: bytes) -> None:
    """Write ``data`` as the whole content of ``path``, making its folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(data)


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
