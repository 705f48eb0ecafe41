"""Faces without a label, cut from photos as answers see them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.config import AnalyzerConfig
from core.errors import DataError, InputError
from core.pipeline import Analyzer
from core.reading.reader import read_in_process
from core.types import UInt8Array

from .image_files import iter_image_files


def cut_faces(sources: Sequence[Path]) -> tuple[UInt8Array, tuple[str, ...]]:
    """Return the (N, 48, 48) uint8 faces of all photos in ``sources``, folders or zips.

    Faces that the system cannot read are left out: teachers know nothing about them either. The
    second value names the photos that could not be read, each with the reason. DataError when
    there is no face.
    """
    analyzer = Analyzer.from_config(AnalyzerConfig())
    crops: list[UInt8Array] = []
    skipped: list[str] = []
    for source in sources:
        for path, read in iter_image_files(source):
            try:
                image = read_in_process(read(), name=path.name)
            except InputError as error:
                skipped.append(f"{path}: {error.message}")
                continue
            prepared = analyzer.prepare(image)
            pairs = zip(prepared.crops, prepared.qualities, strict=True)
            crops += [crop.pixels for crop, quality in pairs if not quality.unreadable]
    if not crops:
        places = ", ".join(source.name for source in sources)
        raise DataError(
            f"No face that can be read was found in {places}.",
            hint="Give --unlabelled a folder or zip of photos of people.",
        )
    return np.stack(crops), tuple(skipped)
