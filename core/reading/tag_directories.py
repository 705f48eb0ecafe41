"""Reading the tag directories of TIFF and EXIF data without following their pointers."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

ORIENTATION = 274

# Bytes per value of each type in TIFF 6.0, section 2, and BigTIFF's three.
_TYPES_BY_BYTES = {1: (1, 2, 6, 7), 2: (3, 8), 4: (4, 9, 11, 13), 8: (5, 10, 12, 16, 17, 18)}
_TYPE_BYTES = {kind: size for size, kinds in _TYPES_BY_BYTES.items() for kind in kinds}
_INTEGERS = {3: "H", 4: "I", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}


@dataclass(frozen=True, slots=True)
class Tag:
    """One entry of a directory."""

    number: int
    count: int
    size: int
    """Bytes of its value, as declared."""
    offset: int
    """Position of the value; may be outside the data."""
    integer: int | None
    """The value if it is a single integer of two bytes or more."""
    is_bytes: bool
    """Whether the value is a run of bytes or text, not of numbers."""


class TagDirectories:
    """The directories of one block of TIFF or EXIF data; raises ValueError without a header."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        order = {b"II": "<", b"MM": ">"}.get(data[:2])
        if order is None or len(data) < 8:
            raise ValueError("no TIFF header")
        self._order = order
        self._big = data[2:4] in (b"+\0", b"\0+")
        pointer = 8 if self._big else 4
        (self.first,) = self._unpack("Q" if self._big else "I", pointer) or (0,)

    def iterate_tags(self, offset: int) -> Iterator[Tag]:
        """Yield the entries of the directory at ``offset``, up to the end of the data."""
        entry, start = ("HHQ", offset + 8) if self._big else ("HHI", offset + 2)
        (entries,) = self._unpack("Q" if self._big else "H", offset) or (0,)
        step = 20 if self._big else 12
        for position in range(start, start + entries * step, step):
            found = self._unpack(entry, position)
            if found is None:
                return
            number, kind, count = found
            unit = _TYPE_BYTES.get(kind)
            if unit is None:
                continue  # decoders skip these too
            here, room = (position + 12, 8) if self._big else (position + 8, 4)
            size = count * unit
            if size > room:
                (here,) = self._unpack("Q" if self._big else "I", here) or (len(self._data),)
            letter = _INTEGERS.get(kind)
            single = self._unpack(letter, here) if letter is not None and count == 1 else None
            yield Tag(
                number=number,
                count=count,
                size=size,
                offset=here,
                integer=single[0] if single else None,
                is_bytes=unit == 1,
            )

    def _unpack(self, letters: str, offset: int) -> tuple[int, ...] | None:
        layout = self._order + letters
        if offset < 0 or offset + struct.calcsize(layout) > len(self._data):
            return None
        return struct.unpack_from(layout, self._data, offset)
