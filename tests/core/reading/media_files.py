"""HEIC and AVIF files, from encoders and made box by box where no encoder would write them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from core.reading.media_boxes import MediaFile
from tests.core.reading.picture_files import photo, save


def heic(*images: Image.Image, **options: Any) -> bytes:
    """Return a HEIC file of one or more pictures, the first of them the main one."""
    file = pillow_heif.HeifFile()
    for image in images:
        file.add_from_pillow(image)
    target = io.BytesIO()
    file.save(target, **{"quality": 90, **options})
    return target.getvalue()


def deep_heic(mode: str, pixels: NDArray[np.uint16]) -> bytes:
    """Return a HEIC file of ten bits; ``mode`` is RGB;16, RGBA;16 or L;16."""
    size = pixels.shape[1], pixels.shape[0]
    file = pillow_heif.from_bytes(mode=mode, size=size, data=pixels.tobytes())
    target = io.BytesIO()
    file.save(target, quality=90)
    return target.getvalue()


def avif(image: Image.Image, **options: Any) -> bytes:
    """Return an AVIF file."""
    return save(image, "AVIF", **{"quality": 90, "speed": 9, **options})


@dataclass
class MediaItem:
    """One item of a file made by hand."""

    kind: bytes
    content: bytes
    properties: list[bytes] = field(default_factory=list)
    links: dict[bytes, list[int]] = field(default_factory=dict)
    """Numbers of other items, counted from 1, by the kind of the link."""
    copies: int = 1
    """How often its place in the file is listed."""


def box(kind: bytes, content: bytes) -> bytes:
    """Return one box."""
    return struct.pack(">I", 8 + len(content)) + kind + content


def full_box(kind: bytes, content: bytes, version: int = 0) -> bytes:
    """Return one box with a version."""
    return box(kind, bytes([version, 0, 0, 0]) + content)


def size_box(width: int, height: int) -> bytes:
    """Return the property that names a picture's size."""
    return full_box(b"ispe", struct.pack(">II", width, height))


def grid(rows: int, columns: int, size_wh: tuple[int, int], parts: list[int]) -> MediaItem:
    """Return a picture that is put together from tiles."""
    content = bytes([0, 1, rows - 1, columns - 1]) + struct.pack(">II", *size_wh)
    return MediaItem(b"grid", content, [size_box(*size_wh)], {b"dimg": parts})


def coded_item(file: bytes) -> MediaItem:
    """Return the main picture of a file as an item for another one."""
    media = MediaFile(file)
    assert media.primary is not None
    item = media.items[media.primary]
    properties = [box(each.kind, file[each.start : each.end]) for each in item.properties]
    return MediaItem(item.kind, b"".join(file[a:b] for a, b in item.extents), properties)


def resize_item(item: MediaItem, width: int, height: int) -> MediaItem:
    """Return an item that names another size than its data has."""
    others = [each for each in item.properties if each[4:8] != b"ispe"]
    return MediaItem(item.kind, item.content, [size_box(width, height), *others], item.links)


_ESSENTIAL = (b"hvcC", b"av1C", b"irot", b"imir", b"clap")
"""Properties without which a picture must not be shown."""


def media_file(items: Sequence[MediaItem], *, brand: bytes = b"heic", primary: int = 1) -> bytes:
    """Return a file of these items."""
    head = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)
    place = len(head) + len(_make_tables(items, primary, 0)) + 8
    return head + _make_tables(items, primary, place) + box(b"mdat", _join(items))


def _join(items: Sequence[MediaItem]) -> bytes:
    return b"".join(item.content for item in items)


def _make_tables(items: Sequence[MediaItem], primary: int, place: int) -> bytes:
    kinds = struct.pack(">H", len(items))
    places = b"\x44\0" + struct.pack(">H", len(items))
    links, boxes, owned = b"", [], struct.pack(">I", len(items))
    for number, item in enumerate(items, 1):
        kinds += full_box(b"infe", struct.pack(">HH", number, 0) + item.kind + b"\0", 2)
        places += struct.pack(">HHH", number, 0, item.copies)
        places += struct.pack(">II", place, len(item.content)) * item.copies
        place += len(item.content)
        for kind, targets in item.links.items():
            numbers = struct.pack(f">HH{len(targets)}H", number, len(targets), *targets)
            links += box(kind, numbers)
        owned += struct.pack(">HB", number, len(item.properties))
        for index, each in enumerate(item.properties, len(boxes) + 1):
            owned += bytes([index | (0x80 if each[4:8] in _ESSENTIAL else 0)])
        boxes += item.properties
    properties = box(b"ipco", b"".join(boxes)) + full_box(b"ipma", owned)
    return full_box(
        b"meta",
        full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
        + full_box(b"pitm", struct.pack(">H", primary))
        + full_box(b"iinf", kinds)
        + (full_box(b"iref", links) if links else b"")
        + box(b"iprp", properties)
        + full_box(b"iloc", places),
    )


def _tile() -> MediaItem:
    return coded_item(heic(photo(64, 64)))


def _large_tile(file: Callable[[Image.Image], bytes]) -> MediaItem:
    """Return a flat picture of six megapixels that names itself eight pixels large."""
    return resize_item(coded_item(file(Image.new("RGB", (2560, 2560)))), 8, 8)


def _nested_grids() -> bytes:
    """Grids of grids, each with 16 times the one below: the tile is decoded a million times."""
    levels = [grid(4, 4, (64, 64), [number + 2] * 16) for number in range(5)]
    return media_file([*levels, _tile()])


def _endless_grid() -> bytes:
    return media_file([grid(1, 1, (64, 64), [1])])


def _with_pieces(count: int) -> bytes:
    tile = _tile()
    tile.content += b"\0\0\0\1\x4e" * count
    return media_file([tile])


def _animation_of(frames: int) -> bytes:
    """Return an AVIF animation that claims many frames."""
    file = avif(photo(32, 32), save_all=True, append_images=[photo(32, 32).rotate(90)])
    place = file.index(b"stsz") + 12
    return file[:place] + struct.pack(">I", frames) + file[place + 4 :]


MEDIA_BOMBS: dict[str, Callable[[], bytes]] = {
    "HEIC of 900 megapixels": lambda: media_file([resize_item(_tile(), 30_000, 30_000)]),
    "HEIC one pixel high of 40 megapixels": lambda: media_file(
        [resize_item(_tile(), 40_000_000, 1)]
    ),
    "HEIC whose data is larger than it says": lambda: media_file([_large_tile(heic)]),
    "AVIF whose data is larger than it says": lambda: media_file(
        [_large_tile(avif)], brand=b"avif"
    ),
    "HEIC grid of 900 megapixels": lambda: media_file([grid(1, 1, (30_000, 30_000), [2]), _tile()]),
    "HEIC grid that uses a large tile 900 times": lambda: media_file(
        [grid(30, 30, (240, 240), [2] * 900), _large_tile(heic)]
    ),
    "HEIC grid of 65,536 tiles": lambda: media_file(
        [grid(256, 256, (4096, 4096), [2] * 65_535), _tile()]
    ),
    "HEIC grids of grids": _nested_grids,
    "HEIC grid of itself": _endless_grid,
    "HEIC turned a hundred times": lambda: media_file(
        [MediaItem(t.kind, t.content, t.properties + [box(b"irot", b"\1")] * 100)]
        if (t := _tile())
        else []
    ),
    "HEIC of 2,000 items": lambda: media_file([_tile(), *[MediaItem(b"Exif", b"")] * 2000]),
    "HEIC whose parts overlap": lambda: media_file(
        [_tile(), MediaItem(b"Exif", bytes(100_000), copies=6000)]
    ),
    "HEIC of 30,000 pieces": lambda: _with_pieces(30_000),
    "HEIC of 20,000 empty boxes": lambda: heic(photo(64, 64)) + box(b"free", b"") * 20_000,
    "HEIC with a transparent layer far larger": lambda: media_file(
        [
            _tile(),
            MediaItem(
                (large := _large_tile(heic)).kind,
                large.content,
                [*large.properties, full_box(b"auxC", b"urn:mpeg:hevc:2015:auxid:1\0")],
                {b"auxl": [1]},
            ),
        ]
    ),
    "AVIF animation of a billion frames": lambda: _animation_of(10**9),
}
