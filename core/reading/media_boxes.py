"""Reading the boxes of HEIC and AVIF files (ISO/IEC 14496-12 and 23008-12), without decoding.

Only what is needed to know which picture would be decoded and from which bytes. Nothing here
trusts a length or a count: it raises ValueError for a structure that cannot be right, and
ImageTooLarge for one with more parts than any photo has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import ImageTooLarge
from .limits import too_costly_error

MAX_BOXES = 16_384
"""In a file. Photos have a few dozen, and one more for each tile."""
MAX_ITEMS = 1000
"""Pictures, tiles and metadata of a file: libheif's own limit. A 48-megapixel phone photo has about
250, nearly all of them tiles of 512 x 512 pixels."""
MAX_LINKS = 65_536
"""Links between items, properties of items, and places where their data lies, each."""
MAX_FRAMES = 20_000
"""Of an animation: eleven minutes at 30 frames per second. A decoder lists all of them on opening;
a table of a few bytes can claim billions."""

Span = tuple[int, int]
"""Where something begins and ends."""
_ITEM_TABLES = (b"iinf", b"pitm", b"iloc", b"idat", b"iref", b"iprp")
_FRAME_TABLES = (b"stsd", b"stsz", b"stsc", b"stco", b"co64")
METADATA_KINDS = frozenset({b"Exif", b"mime", b"uri "})


@dataclass(frozen=True, slots=True)
class Box:
    """A box's four letters, and where its content lies."""

    kind: bytes
    start: int
    end: int


@dataclass(slots=True)
class Item:
    """A picture, a tile or a piece of metadata."""

    kind: bytes
    kind_offset: int
    """Where its kind is written in the file."""
    hidden: bool
    extents: list[Span] = field(default_factory=list)
    properties: list[Box] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Track:
    """The frames of an animation, as far as its first frame needs."""

    entry: Box
    """The first sample entry: what the decoder needs to know before the first frame."""
    first_frame: Span


class MediaFile:
    """The items and tracks of a file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.items: dict[int, Item] = {}
        self.primary: int | None = None
        self.links: dict[tuple[bytes, int], list[int]] = defaultdict(list)
        """Item numbers by the kind of the link and the item from which it comes."""
        self.tracks: list[Track] = []
        self._boxes = 0
        parts = self._index(0, len(data), (b"meta", b"moov"), whole=False)
        if b"meta" in parts:
            self._read_items(parts[b"meta"])
        if b"moov" in parts:
            self._read_tracks(parts[b"moov"])

    def find_codec(self) -> bytes | None:
        """Return the four letters of the main picture's coding, or of an animation's."""
        number = self.primary
        for _ in range(3):
            item = self.items.get(-1 if number is None else number)
            parts = self.links.get((b"dimg", -1 if number is None else number))
            if item is None or not parts:
                break
            number = parts[0]
        if item is not None:
            return item.kind
        return self.tracks[0].entry.kind if self.tracks else None

    def iterate_boxes(self, start: int, end: int, *, whole: bool = True) -> Iterator[Box]:
        """Yield the boxes from ``start`` to ``end``.

        With ``whole`` a box that is longer than the room for it raises ValueError; without, it is
        cut to it, as the last box of a file that was cut off.
        """
        while end - start >= 8:
            self._boxes += 1
            if self._boxes > MAX_BOXES:
                raise too_costly_error("HEIC or AVIF", "it has too many boxes")
            size, head = self.read(start, 4), 8
            if size == 1:
                size, head = self.read(start + 8, 8), 16
            elif size == 0:
                size = end - start  # the last one
            if size < head or (whole and size > end - start):
                raise ValueError("a box of an impossible size")
            kind = self.data[start + 4 : start + 8]
            yield Box(kind, start + head, min(end, start + size))
            start += size

    def _index(
        self, start: int, end: int, once: tuple[bytes, ...], *, whole: bool = True
    ) -> dict[bytes, Box]:
        """Return the boxes by kind; ValueError if one of ``once`` is there twice.

        Decoders disagree on which of two counts.
        """
        found: dict[bytes, Box] = {}
        for box in self.iterate_boxes(start, end, whole=whole):
            if box.kind in found and box.kind in once:
                raise ValueError("two boxes where one belongs")
            found[box.kind] = box
        return found

    def read(self, start: int, size: int, end: int | None = None) -> int:
        """Return the big-endian number of ``size`` bytes at ``start``; ValueError past the end."""
        return read_number(self.data, start, size, end)

    def _read_items(self, meta: Box) -> None:
        parts = self._index(meta.start + 4, meta.end, _ITEM_TABLES)
        if b"iinf" in parts:
            self._read_item_kinds(parts[b"iinf"])
        if b"pitm" in parts:
            box = parts[b"pitm"]
            self.primary = self.read(box.start + 4, 4 if self.data[box.start] else 2, box.end)
        if b"iloc" in parts:
            self._read_places(parts[b"iloc"], parts.get(b"idat"))
        if b"iref" in parts:
            self._read_links(parts[b"iref"])
        if b"iprp" in parts:
            self._read_properties(parts[b"iprp"])

    def _read_item_kinds(self, box: Box) -> None:
        start = box.start + (8 if self.read(box.start, 1, box.end) else 6)
        for entry in self.iterate_boxes(start, box.end):
            version = self.read(entry.start, 1, entry.end)
            if entry.kind != b"infe" or version < 2:
                continue  # of a file without pictures
            size = 2 if version == 2 else 4
            place = entry.start + 4 + size + 2
            if place + 4 > entry.end:
                raise ValueError("an item without a kind")
            kind = self.data[place : place + 4]
            hidden = bool(self.data[entry.start + 3] & 1)
            number = self.read(entry.start + 4, size)
            if number in self.items:
                raise ValueError("two items of one number")
            self.items[number] = Item(kind, place, hidden)
            if len(self.items) > MAX_ITEMS:
                raise too_costly_error("HEIC or AVIF", "it has too many parts")

    def _read_places(self, box: Box, inner: Box | None) -> None:
        numbers = _Numbers(self.data, box)
        version, _ = numbers.take(1), numbers.take(3)
        sizes = numbers.take(2)
        offset_size, length_size = sizes >> 12, sizes >> 8 & 15
        base_size, index_size = sizes >> 4 & 15, sizes & 15 if version else 0
        wide = 4 if version == 2 else 2
        total = 0
        for _ in range(numbers.take(wide)):
            number = numbers.take(wide)
            method = numbers.take(2) & 15 if version else 0
            numbers.take(2)  # another file, which decoders do not follow
            base = numbers.take(base_size)
            item = self.items.get(number)
            for _ in range(numbers.take(2)):
                total += 1
                if total > MAX_LINKS:
                    raise too_costly_error("HEIC or AVIF", "its parts are scattered")
                numbers.take(index_size)
                start = base + numbers.take(offset_size)
                length = numbers.take(length_size)
                if item is None:
                    continue
                if method == 1 and inner is not None:
                    start += inner.start
                elif method:
                    raise ValueError("data at a place that cannot be found")
                item.extents.append((start, start + length if length else len(self.data)))

    def _read_links(self, box: Box) -> None:
        size = 4 if self.read(box.start, 1, box.end) else 2
        total = 0
        for entry in self.iterate_boxes(box.start + 4, box.end):
            numbers = _Numbers(self.data, entry)
            origin, count = numbers.take(size), numbers.take(2)
            total += count
            if total > MAX_LINKS:
                raise too_costly_error("HEIC or AVIF", "its parts are linked too often")
            self.links[entry.kind, origin] += [numbers.take(size) for _ in range(count)]

    def _read_properties(self, box: Box) -> None:
        found: list[Box] = []
        total = 0
        for part in self.iterate_boxes(box.start, box.end):
            if part.kind == b"ipco":
                if found:
                    raise ValueError("two boxes where one belongs")
                found = list(self.iterate_boxes(part.start, part.end))
            elif part.kind == b"ipma":
                numbers = _Numbers(self.data, part)
                version, flags = numbers.take(1), numbers.take(3)
                for _ in range(numbers.take(4)):
                    item = self.items.get(numbers.take(4 if version else 2))
                    count = numbers.take(1)
                    total += 1 + count
                    if total > MAX_LINKS:
                        raise too_costly_error("HEIC or AVIF", "it has too many properties")
                    for _ in range(count):
                        index = numbers.take(2) & 0x7FFF if flags & 1 else numbers.take(1) & 0x7F
                        if item is not None and 0 < index <= len(found):
                            item.properties.append(found[index - 1])

    def _read_tracks(self, movie: Box) -> None:
        for box in self.iterate_boxes(movie.start, movie.end):
            table = self._find_table(box) if box.kind == b"trak" else None
            track = self._read_track(table) if table is not None else None
            if track is not None:
                self.tracks.append(track)

    def _find_table(self, box: Box) -> Box | None:
        """Return the box with the tables of a track's frames."""
        for kind in (b"mdia", b"minf", b"stbl"):
            inner = self.iterate_boxes(box.start, box.end)
            found = next((each for each in inner if each.kind == kind), None)
            if found is None:
                return None
            box = found
        return box

    def _read_track(self, table: Box) -> Track | None:
        parts = self._index(table.start, table.end, _FRAME_TABLES)
        offsets = parts.get(b"stco") or parts.get(b"co64")
        if offsets is None or b"stsd" not in parts or b"stsz" not in parts or b"stsc" not in parts:
            return None
        sizes, groups = _Numbers(self.data, parts[b"stsz"], 4), parts[b"stsc"]
        same, frames = sizes.take(4), sizes.take(4)
        chunks = self.read(offsets.start + 4, 4, offsets.end)
        per_chunk = _Numbers(self.data, groups, 4)
        most = 0
        for _ in range(min(per_chunk.take(4), MAX_LINKS)):
            per_chunk.take(4)
            most = max(most, per_chunk.take(4))
            per_chunk.take(4)
        if frames > MAX_FRAMES or chunks * most > 4 * MAX_FRAMES:
            raise too_costly_error("HEIC or AVIF", "it claims too many frames")
        description = parts[b"stsd"]
        entry = next(self.iterate_boxes(description.start + 8, description.end), None)
        if entry is None or not frames or not chunks:
            return None
        width = 4 if offsets.kind == b"stco" else 8
        start = self.read(offsets.start + 8, width, offsets.end)
        return Track(entry, (start, start + (same or sizes.take(4))))


class _Numbers:
    """Takes one number after another from a box."""

    def __init__(self, data: bytes, box: Box, skip: int = 0) -> None:
        self._data, self._place, self._end = data, box.start + skip, box.end

    def take(self, size: int) -> int:
        value = read_number(self._data, self._place, size, self._end)
        self._place += size
        return value


def read_number(data: bytes, start: int, size: int, end: int | None = None) -> int:
    """Return the big-endian number of ``size`` bytes at ``start``; ValueError past the end."""
    if not 0 <= start <= start + size <= min(len(data), len(data) if end is None else end):
        raise ValueError("a number past the end of its box")
    return int.from_bytes(data[start : start + size], "big")


def find_codec(data: bytes) -> bytes | None:
    """Return the four letters of the main picture's coding; None if the file does not tell."""
    try:
        return MediaFile(data).find_codec()
    except (ValueError, IndexError, ImageTooLarge):
        return None
