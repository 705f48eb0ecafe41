"""Writing so that a file is either whole or not there, and a full disk is a message."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from ..errors import ConfigError

_BUFFER_BYTES = 1024**2


def write(descriptor: int, data: bytes) -> None:
    """Write all of ``data``."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def settle(descriptor: int) -> None:
    """Return when what was written has reached the disk."""
    os.fsync(descriptor)


class _Raw(io.RawIOBase):
    """An open file that is written to through :func:`write`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        block = bytes(data)
        write(self._descriptor, block)
        return len(block)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write ``path``'s new content to; it takes the place of the old one at the end.

    Until then the old content stays, also where the block raises or the process is killed.
    """
    part = part_of(path)
    with writing(path):
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            try:
                with io.BufferedWriter(_Raw(descriptor), _BUFFER_BYTES) as file:
                    yield cast("IO[bytes]", file)
                settle(descriptor)
            finally:
                os.close(descriptor)
            part.replace(path)
            _settle_folder(path.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def part_of(path: Path) -> Path:
    """Where the new content of ``path`` grows."""
    return path.with_name(f".{path.name}.part")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the disk refuses into a message."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{path.name} cannot be written: {error.strerror or error}.",
            hint="Choose a place that you may write to and where there is room. What was answered "
            "is kept: the same command goes on from there.",
        ) from error


def _settle_folder(folder: Path) -> None:
    """Make the new name last; not every file system lets a folder be asked."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            settle(descriptor)
        finally:
            os.close(descriptor)
