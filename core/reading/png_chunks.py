"""Taking the metadata out of a PNG before a decoder sees it.

Pillow refuses a picture for a text of more than 1 MB, or for a damaged checksum in a comment,
although every pixel is there.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from .limits import too_costly_error
from .orientation import parse_png_text

_START = 8
_PACKED_TEXTS = frozenset({b"zTXt", b"iTXt"})
_METADATA = frozenset({b"tEXt", b"eXIf", b"iCCP", *_PACKED_TEXTS})
_MAX_CHUNKS = 100_000
"""Walked through; 20 ms. A file of 50 MB in pieces of 8 KB, as libpng writes it, has 6,400."""
_MAX_KEPT = 4 * 1024**2
"""Bytes of a text or colour profile that are used: the profiles of printers take 3 MB."""
_FREE_TEXT, _MOST_TEXT, _TEXT_PER_PIXEL = 1024**2, 32 * 1024**2, 48
"""Bytes that repetitive texts may unpack to: 1 MB, or 48 for each pixel up to 32 MB. After 32 MB of
any text no more is unpacked."""
_BOMB_RATIO = 100
"""Bytes unpacked for each packed one that only repetition reaches; descriptions reach ten."""


@dataclass(slots=True)
class LeanPng:
    """A PNG without metadata, and what of it matters."""

    data: bytes
    info: dict[str, bytes] = field(default_factory=dict)
    """Under Pillow's names: exif, xmp, icc_profile."""


class _Unpacker:
    """Unpacks texts and profiles, up to a limit over all of them."""

    def __init__(self, pixels: int) -> None:
        self._most_repeated = min(_MOST_TEXT, max(_FREE_TEXT, _TEXT_PER_PIXEL * pixels))
        self._packed = self._unpacked = 0

    def unpack(self, packed: bytes) -> bytes:
        """Return the beginning of what zlib packed, up to any damage; ImageTooLarge for a bomb.

        Empty once there was too much, even if it is honest.
        """
        decoder = zlib.decompressobj()
        kept, rest = b"", packed
        while rest and self._unpacked <= _MOST_TEXT:
            try:
                part = decoder.decompress(rest, _FREE_TEXT)
            except zlib.error:
                break
            if len(kept) < _MAX_KEPT:
                kept += part
            self._unpacked += len(part)
            self._packed += len(rest) - len(decoder.unconsumed_tail)
            rest = decoder.unconsumed_tail
            if self._unpacked > max(self._most_repeated, _BOMB_RATIO * self._packed):
                raise too_costly_error("PNG", "its texts unpack to far more than the picture")
        return kept


def strip_png(data: bytes) -> LeanPng:
    """Return the PNG without texts, EXIF and colour profile, which are unpacked within limits.

    Raises ValueError if they are packed in an unknown way, ImageTooLarge if they unpack to far more
    than the picture.
    """
    lean = LeanPng(data)
    size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    unpacker = _Unpacker(size[0] * size[1])
    kept: list[tuple[int, int]] = []
    place = begin = _START
    for _ in range(_MAX_CHUNKS):
        kind = data[place + 4 : place + 8]
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        if end > len(data) or kind == b"IEND":
            break  # the rest is for the decoder to judge
        if kind in _METADATA:
            _keep_what_matters(lean.info, unpacker, kind, data[place + 8 : end - 4])
            kept.append((begin, place))
            begin = end
        place = end
    if kept:
        lean.data = b"".join([data[:_START], *(data[a:b] for a, b in kept), data[begin:]])
    return lean


def _keep_what_matters(
    info: dict[str, bytes], unpacker: _Unpacker, kind: bytes, content: bytes
) -> None:
    if kind == b"eXIf":
        info["exif"] = content
        return
    key, _, text = content.partition(b"\0")
    packed = kind != b"tEXt"
    if kind == b"iTXt":
        packed, method = text[:1] == b"\1", text[1:2]
        text = text[2:].split(b"\0", 2)[-1]
    elif packed:
        method, text = text[:1], text[1:]
    if packed:
        if method != b"\0":
            raise ValueError("packed in an unknown way")
        text = unpacker.unpack(text)
    if kind == b"iCCP":
        if text:
            info.setdefault("icc_profile", text)
    elif found := parse_png_text(key.decode("latin-1"), text):
        info.setdefault(*found)
