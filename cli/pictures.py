"""Pictures that `emotion analyze` writes beside its answers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cli.terminal import print_written
from core import check_output_folder, report_disk_errors

if TYPE_CHECKING:
    from core import Analyzer, ImageAnalysis, RgbImage

_OPTIONS = {"annotated": "--annotate", "explained": "--explain", "blurred": "--blur"}
"""The option that asks for each kind of picture."""
_MAX_STEM_BYTES = 200
"""Longest file name before a suffix is added; most file systems allow 255 bytes."""


def create_folders(folders: Mapping[str, Path]) -> None:
    """Create the folder for each kind of picture, so that a wrong one is reported early."""
    for kind, folder in folders.items():
        check_output_folder(_OPTIONS[kind], folder, [])
        with report_disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)


def save_pictures(
    folders: Mapping[str, Path], analyzer: Analyzer, image: RgbImage, analysis: ImageAnalysis
) -> None:
    """Write the pictures of one photo, and print their names to stderr.

    ``folders`` has the folder for each wanted kind: annotated, explained or blurred.
    """
    from core import annotate, blur_faces, encode_png, overlay_heatmap

    draw = {
        "annotated": lambda: annotate(image, analysis),
        "explained": lambda: overlay_heatmap(image, analysis, analyzer.explain(analysis)),
        "blurred": lambda: blur_faces(image, analysis),
    }
    for kind, folder in folders.items():
        _write_new(folder, image.name, kind, encode_png(draw[kind]()))


def _write_new(folder: Path, name: str, kind: str, data: bytes) -> None:
    """Write a picture under a name that no file has: photos in two folders may share theirs."""
    stem = Path(name).stem
    while len(os.fsencode(stem)) > _MAX_STEM_BYTES:
        stem = stem[:-1]
    for number in itertools.count(1):
        path = folder / f"{stem}.{kind}{'' if number == 1 else f'-{number}'}.png"
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
