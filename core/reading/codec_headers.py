"""The sizes that HEVC and AV1 data itself claims, which a decoder believes.

The container names a size too, but a decoder allocates what the data says: a kilobyte may claim
sixty megapixels inside a picture of eight pixels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from .limits import too_costly_error

MAX_UNITS = 20_000
"""Pieces of a file's pictures and tiles together; encoders write a handful for each, at most one
for every row of blocks."""
_HEADER_BYTES = 512
"""Of a header that are read; the size stands in the first hundred."""
_SEQUENCE_SET, _FIRST_NON_PICTURE = 33, 32
_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6


@dataclass(frozen=True, slots=True)
class CodedSize:
    """What decoding one item or frame takes."""

    width: int
    """The largest that any header claims; 0 without a header."""
    height: int
    pictures: int
    """How many pictures of this size the data holds; one, in an honest file."""
    units: int
    """Of how many pieces the data consists."""

    @property
    def pixels(self) -> int:
        """How many pixels a decoder computes."""
        return self.width * self.height * self.pictures


class _Bits:
    """Reads a header bit by bit; ValueError past its end."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("a header that is cut off")
        return self._value >> self._left & (1 << count) - 1

    def take_golomb(self) -> int:
        """Take a number as Exponential-Golomb code: zeros, then as many bits and one more."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("a number of an impossible size")
        return (1 << zeros) - 1 + self.take(zeros)


def measure_hevc(config: bytes, content: bytes) -> CodedSize:
    """Return the size that HEVC data claims; ``config`` is the content of its hvcC box."""
    if len(config) < 23:
        raise ValueError("an hvcC box that is cut off")
    length_bytes = (config[21] & 3) + 1
    sizes = [(0, 0)]
    pictures = units = 0
    for unit in itertools.chain(_split_config(config), _split_units(content, length_bytes)):
        units += 1
        _check_units(units, "HEIC")
        if len(unit) < 3:
            continue
        kind = unit[0] >> 1 & 0x3F
        if kind == _SEQUENCE_SET:
            sizes.append(_read_hevc_size(unit[2:_HEADER_BYTES].replace(b"\0\0\x03", b"\0\0")))
        elif kind < _FIRST_NON_PICTURE and unit[2] & 0x80:  # the first slice of a picture
            pictures += 1
    return CodedSize(*max(sizes, key=math.prod), max(1, pictures), units)


def _check_units(count: int, format_name: str) -> None:
    if count > MAX_UNITS:
        raise too_costly_error(format_name, "it is cut into too many pieces")


def _split_config(config: bytes) -> Iterator[bytes]:
    place = 23
    for _ in range(config[22]):
        count = int.from_bytes(config[place + 1 : place + 3], "big")
        place += 3
        for _ in range(count):
            if place + 2 > len(config):
                raise ValueError("an hvcC box that is cut off")
            length = int.from_bytes(config[place : place + 2], "big")
            yield config[place + 2 : place + 2 + min(length, _HEADER_BYTES)]
            place += 2 + length


def _split_units(content: bytes, length_bytes: int) -> Iterator[bytes]:
    """Yield the start of each unit."""
    place = 0
    while place + length_bytes <= len(content):
        length = int.from_bytes(content[place : place + length_bytes], "big")
        place += length_bytes
        yield content[place : place + min(length, _HEADER_BYTES)]
        place += length


def _read_hevc_size(unit: bytes) -> tuple[int, int]:
    """Return the size in a sequence parameter set (ITU-T H.265, section 7.3.2.2)."""
    bits = _Bits(unit)
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    bits.take(88)  # the general profile, without its level
    bits.take(8)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        for _ in range(layers, 8):
            bits.take(2)
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.take_golomb()
    if bits.take_golomb() == 3:  # 4:4:4
        bits.take(1)
    return bits.take_golomb(), bits.take_golomb()


def measure_av1(config: bytes, content: bytes) -> CodedSize:
    """Return the size that AV1 data claims; ``config`` is the content of its av1C box."""
    sizes = [(0, 0)]
    pictures = units = 0
    for kind, unit in itertools.chain(_split_obus(config[4:]), _split_obus(content)):
        units += 1
        _check_units(units, "AVIF")
        if kind == _SEQUENCE_HEADER:
            sizes.append(_read_av1_size(unit))
        elif kind in (_FRAME_HEADER, _FRAME):
            pictures += 1
    return CodedSize(*max(sizes, key=math.prod), max(1, pictures), units)


def _split_obus(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the start of each unit (AV1 specification, section 5.3)."""
    place = 0
    while place < len(content):
        head = content[place]
        place += 2 if head & 4 else 1
        length = len(content) - place
        if head & 2:
            length = 0
            for shift in range(0, 56, 7):
                if place >= len(content):
                    return
                byte = content[place]
                place += 1
                length |= (byte & 0x7F) << shift
                if not byte & 0x80:
                    break
        yield head >> 3 & 15, content[place : place + min(max(0, length), _HEADER_BYTES)]
        place += length


def _read_av1_size(unit: bytes) -> tuple[int, int]:
    """Return the size in a sequence header (AV1 specification, section 5.5)."""
    bits = _Bits(unit)
    bits.take(4)  # profile, still picture
    if bits.take(1):  # the short header of still pictures
        bits.take(5)
    else:
        _skip_av1_timing(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1


def _skip_av1_timing(bits: _Bits) -> None:
    """Skip timing, decoder model and operating points."""
    delay_bits = 0
    with_model = False
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            bits.take_golomb()
        with_model = bool(bits.take(1))
        if with_model:
            delay_bits = bits.take(5) + 1
            bits.take(32 + 5 + 5)
    with_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if with_model and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if with_delay and bits.take(1):
            bits.take(4)
