"""Turning frames upright as their container states it."""

from __future__ import annotations

import struct

from ..types import UInt8Array

_MATRIX = struct.Struct("=9i")


def turn_upright(pixels: UInt8Array, matrix: bytes | None) -> UInt8Array:
    """Return ``pixels``, (H, W, 3), turned by a display matrix: nine 32-bit integers.

    Phones write quarter turns, front cameras also mirror. Other angles are rounded to the nearest
    quarter; a matrix that says nothing changes nothing.
    """
    if matrix is None or len(matrix) != _MATRIX.size:
        return pixels
    # Where a stored pixel (x, y) is shown: (a x + c y, b x + d y).
    a, b, _, c, d, *_ = _MATRIX.unpack(matrix)
    if abs(a) + abs(d) > abs(b) + abs(c):
        to_left, to_top = a < 0, d < 0
    elif b or c:
        pixels = pixels.transpose(1, 0, 2)
        to_left, to_top = c < 0, b < 0
    else:
        return pixels
    return pixels[:: -1 if to_top else 1, :: -1 if to_left else 1]
