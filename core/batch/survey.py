"""What a folder holds, counted before a batch run starts."""

from __future__ import annotations

import random
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .source import LocalFolder, open_source
from .system_files import is_photo_name

_SAMPLE = 4
"""Photos to time: enough to tell large photos from small ones."""
_LONGEST_S = 20.0
_FILES_PER_CLOCK = 256


@dataclass(frozen=True, slots=True)
class FolderSurvey:
    """The files below a folder, by the endings of their names."""

    photos: int
    others: int
    """Files that a batch run opens too, but whose names are not those of photos."""
    complete: bool
    """Whether all folders were listed; a very large or slow one is not, after a while."""
    sample: tuple[Path, ...]
    """Some of the photos, chosen at random but always the same ones."""


def survey_folder(
    folder: Path, exclude: Container[str] = (), *, longest_s: float = _LONGEST_S
) -> FolderSurvey:
    """Count the files that a batch run over ``folder`` would read, except those in ``exclude``.

    Nothing is opened. Raises ConfigError if the folder cannot be listed.
    """
    source = open_source(str(folder))
    assert isinstance(source, LocalFolder)  # noqa: S101 - a Path is never an address
    chosen = random.Random(0)  # noqa: S311 - not a secret
    end = time.monotonic() + longest_s
    counts = {True: 0, False: 0}
    sample: list[Path] = []
    for number, file in enumerate(source.walk(exclude)):
        if number % _FILES_PER_CLOCK == 0 and time.monotonic() > end:
            return FolderSurvey(counts[True], counts[False], False, tuple(sample))
        if file.stamp is None:
            continue
        is_photo = is_photo_name(PurePosixPath(file.path).name)
        counts[is_photo] += 1
        if not is_photo:
            continue
        # Each photo so far is in the sample with the same probability.
        place = len(sample) if len(sample) < _SAMPLE else chosen.randrange(counts[True])
        if place < _SAMPLE:
            sample[place : place + 1] = [source.root / file.path]
    return FolderSurvey(counts[True], counts[False], True, tuple(sample))
