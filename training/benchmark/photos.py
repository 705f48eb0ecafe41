"""Photos to measure with: the user's own, or generated ones that need no data."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np

from core.errors import DataError, InputError
from core.reading.reader import read_in_process
from core.types import RgbImage

from ..data.image_files import check_source

_FACE_YX = (slice(20, 220), slice(120, 320))
"""The head in scikit-image's portrait (public domain)."""


def generate_photo(size_wh: tuple[int, int], faces: int) -> RgbImage:
    """Return a picture of smooth noise with rows of faces, as large as the space allows."""
    from skimage.data import astronaut

    width, height = size_wh
    rng = np.random.default_rng(faces)
    coarse = rng.integers(60, 190, (height // 32 + 2, width // 32 + 2, 3), dtype=np.uint8)
    pixels = np.asarray(cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    head = astronaut()[_FACE_YX]  # type: ignore[no-untyped-call]
    columns = max(1, int(np.ceil(np.sqrt(faces * width / height))))
    rows = max(1, -(-faces // columns))
    cell = min(width // columns, height // rows)
    side = max(8, int(0.9 * cell))
    small = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA)
    for number in range(faces):
        y, x = number // columns * cell, number % columns * cell
        pixels[y : y + side, x : x + side] = small
    return RgbImage(pixels, f"{width}x{height}, {faces} faces")


def generate_photos() -> list[RgbImage]:
    """Return six photos of about 1024 px with one to twelve faces."""
    faces = {(1024, 683): 1, (683, 1024): 1, (1024, 768): 2, (960, 1024): 4, (1024, 576): 6}
    return [generate_photo(size, count) for size, count in {**faces, (800, 1024): 12}.items()]


def read_photos(source: Path, most: int) -> list[RgbImage]:
    """Return up to ``most`` photos of a folder or zip, evenly spread over it.

    Photos that cannot be read are left out; DataError when none can be read.
    """
    images = []
    for name, data in _read_spread(source, most):
        try:
            images.append(read_in_process(data, name=name))
        except InputError:
            continue
    if not images:
        raise DataError(
            f"There is no photo to read in {source.name}.", hint="Give a folder or zip of photos."
        )
    return images


def _read_spread(source: Path, most: int) -> list[tuple[str, bytes]]:
    check_source(source)
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                return [(name, archive.read(name)) for name in _take_spread(names, most)]
        files = sorted(str(path) for path in source.rglob("*") if path.is_file())
        return [(Path(name).name, Path(name).read_bytes()) for name in _take_spread(files, most)]
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{source} cannot be read: {error}.", hint="Check the path.") from error


def _take_spread(names: list[str], most: int) -> list[str]:
    return names[:: max(1, -(-len(names) // most))]
