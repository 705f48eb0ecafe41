"""Batch runs within the test process: a folder of drawn faces, and a pool without processes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from core import BatchOptions, Emotion, run_batch
from core.batch.pool import PHOTOS_PER_CHUNK
from core.batch.worker import Worker, WorkerSetup
from core.reading.reader import read_in_process
from tests.fakes import FakeAnalyzer, picture, png


class PlainReader:
    """Decodes in this process, and remembers what it read."""

    def __init__(self):
        self.sources = []

    def prepare(self):
        pass

    def close(self):
        pass

    def read(self, source, *, name=None):
        self.sources.append(source)
        return read_in_process(source, name=name)


class InlinePool:
    """Analyzes in this process, ``photos_per_chunk`` files at a time."""

    def __init__(
        self,
        setup: WorkerSetup,
        *,
        photos_per_chunk: int = PHOTOS_PER_CHUNK,
        make_analyzer=FakeAnalyzer,
        reader=None,
    ):
        self.reader = reader or PlainReader()
        self.worker = Worker(replace(setup, make_analyzer=make_analyzer), self.reader)
        self.photos_per_chunk = photos_per_chunk

    def get_provenance(self):
        return self.worker.analyzer.provenance

    def analyze(self, paths: Iterable[str]) -> Iterator[list]:
        remaining = iter(paths)
        while chunk := list(itertools.islice(remaining, self.photos_per_chunk)):
            yield self.worker.analyze((path, self.worker.read(path)) for path in chunk)

    def close(self):
        pass


def inline_pool(**options):
    """Return an ``open_pool`` for ``run_batch`` that makes an :class:`InlinePool`."""
    return lambda setup, _options, _files: InlinePool(setup, **options)


def run(photos: Path, out: Path, *, pool=None, on_progress=lambda _: None, **options):
    """Run a batch in this process; ``pool`` is used instead of an inline pool."""
    return run_batch(
        BatchOptions(photos, out, **options),
        on_progress=on_progress,
        open_pool=pool or inline_pool(),
    )


def fill_folder(folder: Path, count: int = 20) -> Path:
    """Write ``count`` files with none, one or two faces into two folders; each fifth is damaged."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        emotion = list(Emotion)[number % 7]
        subfolder = folder / ("inner" if number % 3 else "")
        subfolder.mkdir(exist_ok=True)
        data = png(picture(*[emotion] * (number % 3), unsure=[Emotion.FEAR] * (number % 2)))
        cut = len(data) // 2 if number % 5 == 4 else len(data)
        (subfolder / f"{number:03d}.png").write_bytes(data[:cut])
    return folder


def kill_self() -> None:
    """Kill this process, as the system does when memory runs out."""
    os.kill(os.getpid(), 9)
