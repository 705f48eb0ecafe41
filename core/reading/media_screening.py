"""Refuses HEIC and AVIF files that would cost a decoder far more than their picture.

Their decoders are large and follow every link in the file: a tile may be used sixty thousand
times, and a picture of eight pixels may consist of tiles of fifty megapixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .codec_headers import MAX_UNITS, CodedSize, measure_av1, measure_hevc
from .formats import Format, unsupported_error
from .limits import check_pixels, damaged_error, too_costly_error
from .media_boxes import METADATA_KINDS, Box, Item, MediaFile, Span, Track

MAX_DEPTH = 4
"""Pictures made of pictures: a grid of coded tiles is two, an overlay of grids three."""
MAX_TILES = 1024
"""Of one grid; 50 megapixels in tiles of 256 x 256 pixels are 763. Each has its own decoder."""
MAX_TURNS = 4
"""Turns, mirrorings and crops of one picture. Each copies all of its pixels."""
MAX_EXCESS = 8
"""Pixels decoded for each pixel of the picture: twice those of a grid with a transparent layer, or
four layers of rising quality with one each."""
FREE_PIXELS = 2_000_000
"""Pixels decoded that are never too many, for small pictures in large tiles."""
MAX_SHARING = 4
"""Bytes of all items for each byte of the file; tiles of one colour may share their data."""

_CODECS = {b"hvc1": measure_hevc, b"hev1": measure_hevc, b"av01": measure_av1}
_CONFIGS = {b"hvc1": b"hvcC", b"hev1": b"hvcC", b"av01": b"av1C"}
_DERIVED = frozenset({b"grid", b"iden", b"iovl"})
_TURNS = frozenset({b"irot", b"imir", b"clap"})
_ALPHA_LINK, _PART_LINK = b"auxl", b"dimg"
_FREE_KIND = b"free"
"""Written over the kind of metadata, so that no decoder looks at it."""
_ENTRY_HEAD = 78
"""Bytes of a sample entry before its boxes."""


@dataclass(frozen=True, slots=True)
class ScreenedMedia:
    """What is to be decoded."""

    lean: bytes
    """The file without EXIF, XMP and other metadata, which decoders would copy or unpack."""
    several: bool
    """Whether the file holds other pictures than the main one."""


def screen_media(data: bytes, kind: Format) -> ScreenedMedia:
    """Return the file as it may be decoded; InputError if it must not be."""
    try:
        file = MediaFile(data)
        animated = kind is Format.AVIF and data[8:12] == b"avis" and bool(file.tracks)
        screening = _Screening(file, kind)
        if animated:
            # libavif reads the track of such a file, and its item where there is no track.
            for track in file.tracks:
                screening.check_frame(track)
        else:
            screening.check_picture()
        return ScreenedMedia(_drop_metadata(file), animated or _has_other_pictures(file))
    except (ValueError, IndexError) as error:
        raise damaged_error(kind.value) from error


class _Screening:
    """Follows the links from what is decoded, and adds up what that costs."""

    def __init__(self, file: MediaFile, kind: Format) -> None:
        self._file, self._kind = file, kind
        self._costs: dict[int, int] = {}
        """Pixels decoded for each item seen so far."""
        self._units = 0
        bytes_claimed = sum(
            end - start for item in file.items.values() for start, end in item.extents
        )
        if bytes_claimed > MAX_SHARING * len(file.data):
            raise self._too_costly("its parts overlap")

    def check_frame(self, track: Track) -> None:
        """Check the first frame of an animation."""
        file, entry = self._file, track.entry
        width, height = file.read(entry.start + 24, 2, entry.end), file.read(entry.start + 26, 2)
        check_pixels(width, height)
        boxes = file.iterate_boxes(entry.start + _ENTRY_HEAD, entry.end)
        cost = self._measure(entry.kind, boxes, [track.first_frame]).pixels
        self._check_excess(cost, width, height)

    def check_picture(self) -> None:
        """Check the main picture and its transparency."""
        file, number = self._file, self._file.primary
        if number is None and file.tracks:
            raise unsupported_error(f"an animation without a main picture ({self._kind.value})")
        if number is None or number not in file.items:
            raise ValueError("no main picture")
        width, height = self._find_size(number)
        check_pixels(width, height)
        cost = self._count_pixels(number, MAX_DEPTH)
        for other, item in file.items.items():
            if number in file.links.get((_ALPHA_LINK, other), ()) and _is_alpha(file, item):
                cost += self._count_pixels(other, MAX_DEPTH)
        self._check_excess(cost, width, height)

    def _check_excess(self, cost: int, width: int, height: int) -> None:
        if cost > MAX_EXCESS * width * height + FREE_PIXELS:
            raise self._too_costly("its parts are larger than the picture")

    def _too_costly(self, what: str) -> Exception:
        return too_costly_error(self._kind.value, what)

    def _find_size(self, number: int) -> tuple[int, int]:
        """Return the size that the file names; that of its canvas if it is put together."""
        item = self._file.items[number]
        if item.kind in (b"grid", b"iovl"):
            return self._read_canvas(item)
        # Decoders disagree on which of two counts, so take the largest.
        sizes = [
            (self._file.read(box.start + 4, 4, box.end), self._file.read(box.start + 8, 4, box.end))
            for box in item.properties
            if box.kind == b"ispe"
        ]
        if not sizes:
            raise ValueError("a picture without a size")
        return max(sizes, key=lambda size: size[0] * size[1])

    def _read_canvas(self, item: Item) -> tuple[int, int]:
        content = self._join(item.extents)
        place = 4 if item.kind == b"grid" else 10  # an overlay's background comes first
        side = 4 if content[1] & 1 else 2
        if len(content) < place + 2 * side:
            raise ValueError("a canvas that is cut off")
        width, height = content[place : place + side], content[place + side : place + 2 * side]
        return int.from_bytes(width, "big"), int.from_bytes(height, "big")

    def _count_pixels(self, number: int, depth: int) -> int:
        """Return how many pixels a decoder computes for an item, and check it and its parts."""
        if number not in self._costs:
            item = self._file.items.get(number)
            if item is None:
                raise ValueError("a part that is missing")
            if sum(box.kind in _TURNS for box in item.properties) > MAX_TURNS:
                raise self._too_costly("it is turned again and again")
            if item.kind in _CODECS:
                width, height = self._find_size(number)
                check_pixels(width, height)
                coded = self._measure(item.kind, item.properties, item.extents)
                cost = max(width * height, coded.pixels)
            elif item.kind in _DERIVED:
                cost = self._count_parts(number, item, depth)
            else:
                raise _other_coding_error(item.kind, self._kind)
            self._costs[number] = cost
        return self._costs[number]

    def _count_parts(self, number: int, item: Item, depth: int) -> int:
        parts = self._file.links.get((_PART_LINK, number), [])
        if not depth or len(parts) > MAX_TILES:
            raise self._too_costly("it is put together from too many parts")
        pixels = 0
        if item.kind != b"iden":
            width, height = self._read_canvas(item)
            check_pixels(width, height)
            pixels = width * height
        if item.kind == b"grid":
            rows, columns = (count + 1 for count in self._join(item.extents)[2:4])
            if len(parts) != rows * columns:
                raise ValueError("a grid with too few or too many tiles")
        return pixels + sum(self._count_pixels(part, depth - 1) for part in parts)

    def _measure(self, codec: bytes, boxes: Iterable[Box], extents: list[Span]) -> CodedSize:
        if codec not in _CODECS:
            raise _other_coding_error(codec, self._kind)
        configs = [box for box in boxes if box.kind == _CONFIGS[codec]]
        content = self._join(extents)
        if len(configs) != 1 or not content:
            raise ValueError("a picture without data or its decoder's settings")
        config = self._file.data[configs[0].start : configs[0].end]
        size = _CODECS[codec](config, content)
        self._units += size.units
        if self._units > MAX_UNITS:
            raise self._too_costly("it is cut into too many pieces")
        check_pixels(size.width, size.height)
        return size

    def _join(self, extents: list[Span]) -> bytes:
        """Return an item's data; ValueError if some of it is missing."""
        data = self._file.data
        if any(start > end or end > len(data) for start, end in extents):
            raise ValueError("data past the end of the file")
        if len(extents) == 1:
            return data[slice(*extents[0])]
        return b"".join(data[start:end] for start, end in extents)


def _is_alpha(file: MediaFile, item: Item) -> bool:
    """Return whether an auxiliary picture is decoded with the main one; depth maps are not."""
    names = (file.data[box.start : box.end] for box in item.properties if box.kind == b"auxC")
    return any(b"alpha" in name or b"auxid:1" in name for name in names)


def _other_coding_error(codec: bytes, kind: Format) -> Exception:
    name = codec.decode("latin-1").strip()
    named = f" ({name})" if name.isascii() and name.isalnum() else ""
    return unsupported_error(f"a {kind.value} picture of another coding{named}")


def _has_other_pictures(file: MediaFile) -> bool:
    """Return whether there are pictures besides the main one and what belongs to one.

    Tiles, thumbnails, depth and gain maps are nothing that a person would miss.
    """
    parts = {to for (kind, _), tos in file.links.items() if kind == _PART_LINK for to in tos}
    belonging = {origin for kind, origin in file.links if kind in (_ALPHA_LINK, b"thmb", b"cdsc")}
    return any(
        number != file.primary
        and number not in parts
        and number not in belonging
        and not item.hidden
        and (item.kind in _CODECS or item.kind in _DERIVED)
        for number, item in file.items.items()
    )


def _drop_metadata(file: MediaFile) -> bytes:
    places = [item.kind_offset for item in file.items.values() if item.kind in METADATA_KINDS]
    if not places:
        return file.data
    lean = bytearray(file.data)
    for place in places:
        lean[place : place + 4] = _FREE_KIND
    return bytes(lean)
