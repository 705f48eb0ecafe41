"""The table of a film: a row for each face of each frame."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..files import atomic_file, report_disk_errors
from ..output.table import format_csv_heading, format_csv_rows
from ..types import ImageAnalysis
from .video import Frame


@contextmanager
def open_film_table(path: Path) -> Iterator[Callable[[Frame, ImageAnalysis], None]]:
    """Yield a function that adds the rows of a frame to a CSV file.

    The file gets its name when it is complete, and is not written if the block raises. ConfigError
    if it cannot be written.
    """
    with report_disk_errors(path), atomic_file(path) as raw:
        file = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        file.write(format_csv_heading())

        def write(frame: Frame, analysis: ImageAnalysis) -> None:
            if analysis.faces:
                file.write(format_csv_rows(analysis, time_s=frame.time_s))

        yield write
        file.flush()
        file.detach()
