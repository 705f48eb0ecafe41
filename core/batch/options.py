"""What a batch run is asked to do, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ..config import AnalyzerConfig
from ..errors import ConfigError


class BatchEngine(StrEnum):
    """Where the photos of a batch run are answered."""

    LOCAL = "local"
    RAY = "ray"


class TableFormat(StrEnum):
    """How the rows of a batch run are written; told by the file's ending."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Options of a batch run; checked when made."""

    directory: str | Path
    """A folder, or the address of one in an object store, such as s3://bucket/photos."""
    out: Path
    """The table to write; its ending tells the format."""
    config: AnalyzerConfig = field(default_factory=AnalyzerConfig)
    workers: int | None = None
    """Processes that answer; None takes one for each processor core."""
    engine: BatchEngine = BatchEngine.LOCAL
    fresh: bool = False
    """Begin anew, instead of going on where an earlier run with the same options ended."""
    annotate: Path | None = None
    """Folder for a copy of each photo with its faces marked; None writes none."""
    report: Path | None = None
    """HTML file to write beside the table; None writes none."""
    thumbnails: bool = False
    """Whether the report shows the faces it lists."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "engine", BatchEngine(self.engine))
        if self.workers is not None and self.workers < 1:
            raise ConfigError(
                f"There must be at least one worker, got {self.workers}.",
                hint="Leave it out to take one for each processor core.",
            )
        _ = self.format
        if self.report is not None and self.report.resolve() == self.out.resolve():
            raise ConfigError(
                "The table and the report are the same file.", hint="Give them different names."
            )

    @property
    def format(self) -> TableFormat:
        """The format that the output's ending names; ConfigError if it names none."""
        ending = self.out.suffix.removeprefix(".").lower()
        try:
            return TableFormat(ending)
        except ValueError:
            raise ConfigError(
                f"The ending of {self.out.name} names no format that is written.",
                hint=f"Let it end in {', '.join(f'.{each}' for each in TableFormat)}.",
            ) from None


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch run is."""

    done: int
    """Files that are answered, those of earlier runs included."""
    total: int
    """Files found so far."""


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What came out of a batch run; counts are of files except for ``faces``."""

    files: int
    with_faces: int
    without_faces: int
    failed: int
    faces: int
    uncertain: int
    """Faces whose answer is "not sure"."""
    skipped: int
    """Links, pipes, devices and the like, which were not opened."""
    already_done: int
    """Files whose answer an earlier run left in the journal."""

    @property
    def read(self) -> int:
        return self.with_faces + self.without_faces
