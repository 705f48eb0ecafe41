"""Colour profiles (ICC) from strangers, made safe to apply."""

from __future__ import annotations

import struct

_TABLE, _ENTRY = 128, 12
_FLOAT_TAGS = frozenset(
    kind + number for kind in (b"D2B", b"B2D") for number in (b"0", b"1", b"2", b"3")
)
"""Chains of any number of floating-point steps, each computed for every pixel: a profile of a few
hundred bytes took seconds. The same colours are there as tables, which every reader supports."""


def drop_float_tags(profile: bytes) -> bytes:
    """Return a profile without its floating-point steps; unchanged if it has none."""
    if len(profile) < _TABLE + 4:
        return profile
    (entries,) = struct.unpack_from(">I", profile, _TABLE)
    last = min(len(profile), _TABLE + 4 + _ENTRY * entries) - _ENTRY
    places = [
        place
        for place in range(_TABLE + 4, last + 1, _ENTRY)
        if profile[place : place + 4] in _FLOAT_TAGS
    ]
    if not places:
        return profile
    cleaned = bytearray(profile)
    for number, place in enumerate(places):
        cleaned[place : place + 4] = b"x%03d" % (number % 1000)  # a name of no meaning
    return bytes(cleaned)
