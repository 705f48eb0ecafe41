"""The segments of a JPEG, without decoding it."""

from __future__ import annotations

import re
from collections.abc import Iterator

START_OF_SCAN, END_OF_IMAGE, APP1 = 0xDA, 0xD9, 0xE1
FRAMES = frozenset({*range(0xC0, 0xD0), 0xDE}) - {0xC4, 0xC8, 0xCC}
COSINE_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Sequential and progressive, by Huffman or arithmetic coding; what remains is lossless."""
PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_STANDALONE = {0x01, 0xD8}


def split_jpeg(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield each segment's marker, start and end of its content, and the bytes skipped before.

    Ends after the first end marker, whose content is empty.
    """
    position = 2
    while found := _MARKER.search(data, position):
        marker = data[found.start() + 1]
        gap = found.start() - position
        position = found.end()
        if marker == END_OF_IMAGE:
            yield marker, position, position, gap
            return
        if marker in _STANDALONE:
            continue
        length = max(2, int.from_bytes(data[position : position + 2], "big"))
        yield marker, position + 2, position + length, gap
        position += length


def read_jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height as the frame header of a JPEG states them; zeros without one."""
    for marker, start, end, _ in split_jpeg(data):
        if marker in FRAMES and end - start >= 5:
            height, width = (
                int.from_bytes(data[at : at + 2], "big") for at in (start + 1, start + 3)
            )
            return width, height
        if marker == START_OF_SCAN:
            break
    return 0, 0
