"""Batch runs in this process: a folder of drawn faces, workers that are none."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from core import BatchOptions, Emotion, read_image, run_batch
from core.batch.pool import PHOTOS_PER_CHUNK
from core.batch.worker import Worker, WorkerConfig
from tests.fakes import FakeAnalyzer, picture, png


class PlainReader:
    """Decodes in this process, which starts no other; remembers what it read."""

    def __init__(self):
        self.seen = []

    def prepare(self):
        pass

    def close(self):
        pass

    def read(self, source, *, name=None):
        self.seen.append(source)
        return read_image(source, name=name)


class InlinePool:
    """Answers in this process, ``photos_per_chunk`` files at a time."""

    def __init__(
        self,
        work: WorkerConfig,
        *,
        photos_per_chunk: int = PHOTOS_PER_CHUNK,
        make=FakeAnalyzer,
        reader=None,
    ):
        self.reader = reader or PlainReader()
        self.worker = Worker(replace(work, make=make), self.reader)
        self.photos_per_chunk = photos_per_chunk

    def provenance(self):
        return self.worker.analyzer.provenance

    def answers(self, paths: Iterable[str]) -> Iterator[list]:
        waiting = iter(paths)
        while chunk := list(itertools.islice(waiting, self.photos_per_chunk)):
            yield self.worker.answer((path, self.worker.read(path)) for path in chunk)

    def close(self):
        pass


def opener(**options):
    """For ``run_batch``: opens an :class:`InlinePool` with these options."""
    return lambda work, _options, _files: InlinePool(work, **options)


def run(photos: Path, out: Path, *, pool=None, on_progress=lambda _: None, **options):
    """One run in this process; ``pool`` takes the place of the inline one."""
    return run_batch(
        BatchOptions(photos, out, **options), on_progress=on_progress, open_pool=pool or opener()
    )


def fill(folder: Path, count: int = 20) -> Path:
    """``count`` files in two folders: faces by the number, some of them damaged."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        emotion = list(Emotion)[number % 7]
        where = folder / ("inner" if number % 3 else "")
        where.mkdir(exist_ok=True)
        data = png(picture(*[emotion] * (number % 3), unsure=[Emotion.FEAR] * (number % 2)))
        cut = len(data) // 2 if number % 5 == 4 else len(data)
        (where / f"{number:03d}.png").write_bytes(data[:cut])
    return folder


def kill_self() -> None:
    """End this process as the system's memory guard does."""
    os.kill(os.getpid(), 9)
