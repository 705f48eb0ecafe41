"""Pictures that `emotion analyze` writes beside its answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.terminal import printable
from core import ConfigError

if TYPE_CHECKING:
    from core import Analyzer, ImageAnalysis, RgbImage

_LONGEST_STEM = 200
"""Bytes of a file name without what is put behind it."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The folders for each kind of picture; None where none is wanted."""

    annotated: Path | None = None
    explained: Path | None = None
    blurred: Path | None = None

    def prepare(self) -> None:
        """Make the folders: one that cannot be written to is told before any work."""
        for directory in filter(None, (self.annotated, self.explained, self.blurred)):
            with _writing(directory):
                directory.mkdir(parents=True, exist_ok=True)

    def save(self, analyzer: Analyzer, image: RgbImage, answer: ImageAnalysis) -> None:
        """Write what is wanted of one photo and tell where."""
        from core import annotate, blur_faces, encode_png, overlay_heatmap

        if self.annotated is not None:
            _save(self.annotated, image.name, "annotated", encode_png(annotate(image, answer)))
        if self.explained is not None:
            explained = overlay_heatmap(image, answer, analyzer.explain(answer))
            _save(self.explained, image.name, "explained", encode_png(explained))
        if self.blurred is not None:
            _save(self.blurred, image.name, "blurred", encode_png(blur_faces(image, answer)))


def _save(directory: Path, name: str, kind: str, data: bytes) -> None:
    for candidate in _free_names(_stem(name), kind):
        path = directory / candidate
        with _writing(directory):
            try:
                with path.open("xb") as file:
                    file.write(data)
            except FileExistsError:
                continue
            except OSError:
                path.unlink(missing_ok=True)
                raise
        typer.echo(printable(f"Wrote {path}"), err=True)
        return


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    """Turns what the disk refuses into a message."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"Nothing can be written to {directory}: {error.strerror}.",
            hint="Name a folder that you may write to, on a disk with room.",
        ) from error


def _stem(name: str) -> str:
    """The name without its ending, short enough that more can be added: 255 bytes are usual."""
    stem = Path(name).stem
    while len(os.fsencode(stem)) > _LONGEST_STEM:
        stem = stem[:-1]
    return stem


def _free_names(stem: str, kind: str) -> Iterator[str]:
    """Names that never overwrite: photos of two folders may share theirs."""
    yield f"{stem}.{kind}.png"
    number = 2
    while True:
        yield f"{stem}.{kind}-{number}.png"
        number += 1
