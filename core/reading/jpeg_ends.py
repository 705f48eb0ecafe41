"""Reading JPEGs whose end marker is missing, if no pixel is.

Cameras that lose power and tools that rescue files leave them. Pillow refuses them, and would fill
in grey for any pixels that are missing.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable

from PIL import Image

from .colour import split_into_bands
from .jpeg_segments import END_OF_IMAGE, FRAMES, PROGRESSIVE, START_OF_SCAN, split_jpeg
from .screening import MAX_SCANNED_PIXELS

_END = b"\xff\xd9"
_FILLERS = tuple(
    b"".join(
        bytes((start + part * 37 + k * step) % 255 for k in range(256))
        + bytes((0xFF, 0xD0 + (part + start) % 8))
        for part in range(24)
    )
    for start, step in ((0, 101), (254, 0), (170, 53), (85, 7))
)
"""Data that belongs to no picture, with restart markers, after which a decoder goes on with it."""

_Load = Callable[[Image.Image], None]


def open_without_end(data: bytes, pixels: int, load: _Load) -> Image.Image | None:
    """Return the loaded picture of a JPEG that lacks its end marker; None if pixels may be missing.

    Whether the last scan is complete shows when the file is decoded with different data behind it:
    a decoder that needed more would make different pixels of it. ``pixels`` is the size of the
    picture; one that would take too long is not tried.
    """
    passes = data.count(b"\xff\xda") * (1 + len(_FILLERS))
    if passes * pixels > MAX_SCANNED_PIXELS or not _has_all_scans(data):
        return None
    data = data.rstrip(b"\xff")  # half of the marker, or filling before it
    image = _open(data + _END, load)
    for filler in _FILLERS:
        with contextlib.closing(_open(data + filler + _END, load)) as other:
            pairs = zip(split_into_bands(image), split_into_bands(other), strict=True)
            if any(band.tobytes() != other_band.tobytes() for band, other_band in pairs):
                return None
    return image


def _open(data: bytes, load: _Load) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("JPEG",))
    load(image)
    return image


def _has_all_scans(data: bytes) -> bool:
    """Return whether the scans cover every component, a progressive JPEG's to the last bit."""
    components: set[int] = set()
    progressive = False
    missing: set[tuple[int, int]] = set()
    for marker, start, end, _ in split_jpeg(data):
        content = data[start:end]
        if marker == END_OF_IMAGE:
            return False  # it has an end; something else is wrong
        if marker in FRAMES and len(content) > 5:
            components = set(content[6 : 6 + 3 * content[5] : 3])
            progressive = marker in PROGRESSIVE
            bands = range(64) if progressive else range(1)
            missing = {(component, band) for component in components for band in bands}
        elif marker == START_OF_SCAN and content:
            count = content[0]
            first, last, bits = content[1 + 2 * count : 4 + 2 * count]
            done = range(first, last + 1) if progressive else range(1)
            if not progressive or bits & 15 == 0:
                chosen = set(content[1 : 1 + 2 * count : 2])
                missing -= {(component, band) for component in chosen for band in done}
    return bool(components) and not missing
