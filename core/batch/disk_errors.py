"""A full or read-only disk as a message."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import ConfigError


@contextlib.contextmanager
def report_disk_errors(path: Path) -> Iterator[None]:
    """Raise ConfigError, with what to do, for an OSError while ``path`` is written."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{path.name} cannot be written: {error.strerror or error}.",
            hint="Choose a place that you may write to and where there is room. What was answered "
            "is kept: the same command goes on from there.",
        ) from error
