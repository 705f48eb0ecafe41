"""How far the face mesh lies from points that people placed: the 68 of the 300-W mark-up."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DataError, InputError
from core.landmarks import LandmarkModel
from core.reading.reader import read_in_process
from core.types import Box, Face, Float32Array, RgbImage

from ..data.image_files import iter_image_files

MESH_OF_68 = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
"""The mesh's vertex nearest to each of the 68 points. Along the jaw it is a matter of definition:
people mark the visible outline, the mesh a line on the head."""
PARTS = {
    "jaw": slice(0, 17),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "mouth": slice(48, 68),
}
_EYE_CORNERS = (36, 45)
_MOST_BYTES = 64 * 1024
"""Of a file with points; 68 take two thousand."""
_ROOM = 0.15
"""Of their extent around the points on each side: about what a detector's box shows."""


def compare_mesh_with_people(places: Path, mesh: LandmarkModel) -> dict[str, Any]:
    """Return the normalised mean error of ``mesh`` on the pictures that have a ``.pts`` file.

    ``places`` is a folder or zip; the file is named like its picture. Errors are shares of the
    distance between the outer corners of the eyes, as is usual with 300-W; ``inner`` leaves the jaw
    out. DataError for no such picture.
    """
    errors: list[Float32Array] = []
    pictures = 0
    for image, points in _read_marked_pictures(places):
        pictures += 1
        low, high = points.min(axis=0), points.max(axis=0)
        room = _ROOM * (high - low)
        box = Box(*map(float, (*(low - room), *(high + room))))
        (found,) = mesh.locate(image, [Face(box, 1.0)])
        if found is None:
            continue
        distances = np.linalg.norm(found.points[list(MESH_OF_68)] - points, axis=1)
        first, last = _EYE_CORNERS
        errors.append(distances / np.linalg.norm(points[last] - points[first]))
    if not pictures:
        raise DataError(
            f"No picture in {places.name} has 68 points beside it.",
            hint="Needed: face.jpg and face.pts in the form of 300-W, for each face.",
        )
    report: dict[str, Any] = {"data": places.name, "pictures": pictures, "found": len(errors)}
    if errors:
        each = np.stack(errors)
        inner = each[:, 17:].mean(axis=1)
        report |= {
            "inner": {
                "mean": float(inner.mean()),
                "median": float(np.median(inner)),
                "p90": float(np.quantile(inner, 0.9)),
            },
            "parts": {name: float(each[:, part].mean()) for name, part in PARTS.items()},
        }
    return report


def _read_marked_pictures(places: Path) -> Iterator[tuple[RgbImage, Float32Array]]:
    for path, read in iter_image_files(places):
        root = places if places.is_dir() else zipfile.Path(places)
        file = root / str(path.with_suffix(".pts"))
        if not file.is_file():
            continue
        with file.open("rb") as opened:
            text = opened.read(_MOST_BYTES).decode("utf-8", "replace")
        points = read_points(text, file.name)
        try:
            image = read_in_process(read())
        except InputError:
            continue
        yield image, points


def read_points(text: str, name: str) -> Float32Array:
    """Return the (68, 2) points of a 300-W file; DataError for another content.

    300-W counts from 1 at the middle of the first pixel, we from 0 at its corner.
    """
    try:
        inside = text[text.index("{") + 1 : text.index("}")]
        points = np.array([line.split() for line in inside.split("\n") if line.strip()], float)
        if points.shape != (68, 2) or not np.isfinite(points).all():
            raise ValueError
    except ValueError as error:
        raise DataError(
            f"'{name}' does not hold 68 points.",
            hint="Expected the form of 300-W: 68 lines x y between braces.",
        ) from error
    return np.asarray(points - 0.5, dtype=np.float32)
