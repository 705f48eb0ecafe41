"""Pictures that `emotion analyze` writes beside its answers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.terminal import print_written
from core import report_disk_errors

if TYPE_CHECKING:
    from core import Analyzer, ImageAnalysis, RgbImage

_MAX_STEM_BYTES = 200
"""Longest file name before a suffix is added; most file systems allow 255 bytes."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The folder for each kind of picture; None if that kind is not wanted."""

    annotated: Path | None = None
    explained: Path | None = None
    blurred: Path | None = None

    def prepare(self) -> None:
        """Create the folders, so that a wrong one is reported before any work."""
        for directory in filter(None, (self.annotated, self.explained, self.blurred)):
            with report_disk_errors(directory):
                directory.mkdir(parents=True, exist_ok=True)

    def save(self, analyzer: Analyzer, image: RgbImage, analysis: ImageAnalysis) -> None:
        """Write the wanted pictures of one photo, and print their names to stderr."""
        from core import annotate, blur_faces, encode_png, overlay_heatmap

        if self.annotated is not None:
            _write_new(
                self.annotated, image.name, "annotated", encode_png(annotate(image, analysis))
            )
        if self.explained is not None:
            explained = overlay_heatmap(image, analysis, analyzer.explain(analysis))
            _write_new(self.explained, image.name, "explained", encode_png(explained))
        if self.blurred is not None:
            _write_new(self.blurred, image.name, "blurred", encode_png(blur_faces(image, analysis)))


def _write_new(directory: Path, name: str, kind: str, data: bytes) -> None:
    """Write a picture under a name that no file has yet."""
    for candidate in _suggest_names(_shorten_stem(name), kind):
        path = directory / candidate
        with report_disk_errors(path):
            try:
                with path.open("xb") as file:
                    file.write(data)
            except FileExistsError:
                continue
            except OSError:
                path.unlink(missing_ok=True)
                raise
        print_written(path)
        return


def _shorten_stem(name: str) -> str:
    """Return the name without its ending, short enough to add a suffix."""
    stem = Path(name).stem
    while len(os.fsencode(stem)) > _MAX_STEM_BYTES:
        stem = stem[:-1]
    return stem


def _suggest_names(stem: str, kind: str) -> Iterator[str]:
    """Yield names to try in turn, because photos in two folders may have the same name."""
    yield f"{stem}.{kind}.png"
    for number in itertools.count(2):
        yield f"{stem}.{kind}-{number}.png"
