"""The options of a batch run, its progress and its summary."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ..config import AnalyzerConfig
from ..errors import ConfigError


class BatchEngine(StrEnum):
    """What runs the workers of a batch run."""

    LOCAL = "local"
    RAY = "ray"


class TableFormat(StrEnum):
    """The file format of a batch run's table."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Options of a batch run, with absolute paths; ConfigError if they do not fit together."""

    directory: str | Path
    """A folder, or the address of one in an object store, such as s3://bucket/photos."""
    out: Path
    """The table to write; its ending sets the format."""
    config: AnalyzerConfig = field(default_factory=AnalyzerConfig)
    workers: int | None = None
    """Number of worker processes; None means one for each processor core."""
    engine: BatchEngine = BatchEngine.LOCAL
    fresh: bool = False
    """Start over instead of continuing an earlier run with the same options."""
    overwrite: bool = False
    """Replace a table or report that is not an earlier result; a photo is never replaced."""
    annotate: Path | None = None
    """Folder for a copy of each photo with its faces marked; None writes none."""
    report: Path | None = None
    """HTML report to write beside the table; None writes none."""
    thumbnails: bool = False
    """Whether the report shows small pictures of the faces it lists."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "engine", BatchEngine(self.engine))
        for name in ("out", "report", "annotate"):
            if (path := getattr(self, name)) is not None:
                if os.path.lexists(path) and not os.path.exists(path):  # noqa: PTH110
                    raise ConfigError(
                        f"{path} is a link that leads nowhere.",
                        hint="Remove the link, or choose another name.",
                    )
                object.__setattr__(self, name, path.resolve())
        if self.workers is not None and self.workers < 1:
            raise ConfigError(
                f"There must be at least one worker, not {self.workers}.",
                hint="Leave the option out to get one for each processor core.",
            )
        _ = self.format

    @property
    def format(self) -> TableFormat:
        """The table's format by its file ending; ConfigError for an unknown ending."""
        ending = self.out.suffix.removeprefix(".").lower()
        try:
            return TableFormat(ending)
        except ValueError:
            raise ConfigError(
                f"{self.out.name} does not end in a known table format.",
                hint=f"Use one of the endings {', '.join(f'.{form}' for form in TableFormat)}.",
            ) from None


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch run has come."""

    done: int
    """Files with a result, including those of earlier runs."""
    total: int
    """Files found so far."""


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """The counts of a finished batch run: of files, except for ``faces`` and ``uncertain``."""

    with_faces: int
    without_faces: int
    failed: int
    faces: int
    uncertain: int
    """Faces whose answer is "not sure"."""
    skipped: int
    """Links, pipes, devices, system files and folders, which were not opened."""
    already_done: int
    """Files whose result an earlier run left in the journal."""
    films: int = 0
    """Films of Live Photos, which were not opened; their photos were."""
    damaged: int = 0
    """Results of an earlier run that were damaged on the disk and computed again."""
    is_locked: bool = True
    """False where the disk has no locks, so that a second run with this table is not noticed."""

    @property
    def files(self) -> int:
        """Files that have a result."""
        return self.read + self.failed

    @property
    def read(self) -> int:
        """Files that could be read."""
        return self.with_faces + self.without_faces
