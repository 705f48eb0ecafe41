"""Refuses files that are built to cost a decoder far more than a picture of their size.

Every rule here is about the container alone, costs a few milliseconds for 50 MB, and answers a
file that really did take a decoder gigabytes or minutes; the cost stands beside its rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import TiffTags

from .formats import Format, unsupported_error
from .jpeg_segments import APP1, COSINE_FRAMES, FRAMES, START_OF_SCAN, split_jpeg
from .limits import MAX_PIXELS_WHOLE, check_pixels, too_costly_error
from .tag_directories import Tag, TagDirectories

MAX_METADATA_BLOCKS = 4096
"""Before the pixels. An ICC profile and extended XMP of the greatest size take about 600."""
MAX_PADDING = 1024**2
"""Bytes of filling, which Pillow walks one by one: 0.35 s."""
MAX_SCANNED_PIXELS = 1_600_000_000
"""Pixels times scans of a JPEG: 1.4 s, and 32 scans at 50 megapixels, where ten are usual.

200 KB with a hundred empty scans of 49 megapixels took 4.3 s; 50 MB of them would take hours.
"""
MAX_GIF_EXTENSIONS = 1024**2
"""Bytes before a GIF's first frame. Pillow joins comments in quadratic time: 8 MB took 5.7 s."""
MAX_TILE_PIXELS = 2**22
"""Of one TIFF tile, or twice the picture if that is more.

libtiff clears a whole tile even if its data is missing: 1 KB claimed one of 1.5 GB. All tiles
together may have twice as many, or four times those of the picture: 6 KB took seconds.
"""
MAX_TIFF_NUMBERS = 50_000
"""In one structural tag; 10,000 strips in each of five planes. Pillow makes an object of each."""
MAX_RLE_PIXELS, MAX_RLE_WIDTH = 4_000_000, 16_384
"""Of a run-length BMP, which Pillow decodes in Python, 0.3 s per million pixels.

One two-byte skip allocates 255 rows at once: 1 KB of a 4-million-pixel row took 1.5 GB.
"""

_SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION = 254, 330, 50706
_TILE_WIDTH, _TILE_LENGTH, _TRANSFER_FUNCTION = 322, 323, 301
_LAST_STRUCTURAL_TAG = 339  # sample format


@dataclass(frozen=True, slots=True)
class Screened:
    """What the container says, for use once the size is known."""

    scans: int = 1
    """Number of passes over a JPEG's pixels."""
    scalable_wh: tuple[int, int] | None = None
    """Size of a JPEG that can be decoded at a reduced size.

    A lossless one cannot: its decoder returns full rows anyway, and Pillow 12.3 writes them beyond
    the reduced row, which corrupts memory.
    """
    tile_wh: tuple[int, int] = (0, 0)
    """The largest tile of a TIFF; zeros without tiles."""
    several_frames: bool = False
    """Whether a GIF has more than one frame."""

    def check(self, format_name: str, width: int, height: int) -> None:
        """Raise ImageTooLarge if the container is excessive for the image's size."""
        pixels = width * height
        if self.scans * pixels > MAX_SCANNED_PIXELS:
            raise too_costly_error(format_name, f"it draws its pixels in {self.scans} passes")
        tile_width, tile_height = self.tile_wh
        if tile_width * tile_height > max(MAX_TILE_PIXELS, 2 * pixels):
            raise too_costly_error(format_name, "its tiles are far larger than the picture")
        if tile_width and tile_height:
            tiles = -(-width // tile_width) * -(-height // tile_height)
            if tiles * tile_width * tile_height > max(2 * MAX_TILE_PIXELS, 4 * pixels):
                raise too_costly_error(format_name, "its tiles are far larger than the picture")


def screen(data: bytes, kind: Format) -> Screened:
    """Return what the container says; ImageTooLarge if it is built to exhaust a decoder.

    Damage is ignored here: the decoder reports it.
    """
    rule = _RULES.get(kind)
    return rule(data) if rule else Screened()


def check_run_lengths(width: int, height: int) -> None:
    """Raise ImageTooLarge for a run-length BMP that would take too long or too much memory."""
    if width > MAX_RLE_WIDTH or width * height > MAX_RLE_PIXELS:
        raise too_costly_error(
            "BMP", "it is compressed by run lengths, which is meant for small pictures"
        )


def _screen_jpeg(data: bytes) -> Screened:
    exif = bytearray()
    frames: list[tuple[int, tuple[int, int]]] = []
    blocks = scans = padding = 0
    many_scans = data.count(b"\xff\xda") > MAX_SCANNED_PIXELS // 50_000_000
    for marker, start, end, gap in split_jpeg(data):
        if marker == START_OF_SCAN:
            scans += 1
            if not many_scans:
                break  # the rest does not matter
        elif not scans:
            blocks += 1
            padding += gap
            if blocks > MAX_METADATA_BLOCKS or padding > MAX_PADDING:
                raise too_costly_error("JPEG", "it is padded with metadata or padding")
            if marker in FRAMES:
                height, width = data[start + 1 : start + 3], data[start + 3 : start + 5]
                size = int.from_bytes(width, "big"), int.from_bytes(height, "big")
                frames.append((marker, size))
            if marker == APP1 and data.startswith(b"Exif\0\0", start):
                exif += data[start + 6 : end]
    if exif:
        # Pillow reads all of it on opening, for the resolution.
        _check_directories(bytes(exif), "JPEG")
    honest = len(frames) == 1 and frames[0][0] in COSINE_FRAMES
    return Screened(scans=max(1, scans), scalable_wh=frames[0][1] if honest else None)


def _screen_png(data: bytes) -> Screened:
    position = 8
    for _ in range(MAX_METADATA_BLOCKS):
        name = data[position + 4 : position + 8]
        if name == b"IDAT" or len(name) < 4:
            return Screened()
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    raise too_costly_error("PNG", "it is padded with metadata")


def _screen_gif(data: bytes) -> Screened:
    position = _skip_palette(13, data[10] if len(data) > 10 else 0)
    frames = extensions = 0
    while position < len(data):
        block = data[position]
        if block == 0x2C:
            frames += 1
            if frames == 2:
                break
            flags = data[position + 9] if position + 9 < len(data) else 0
            position = _skip_palette(position + 10, flags) + 1
            position = _skip_sub_blocks(data, position, len(data))
        elif block == 0x3B or (frames and block != 0x21):
            break  # the end, or damage after the first frame
        else:
            # Decoders skip stray bytes before the first frame.
            stop = len(data) if frames else position + MAX_GIF_EXTENSIONS + 2
            end = _skip_sub_blocks(data, position + 2, stop) if block == 0x21 else position + 1
            extensions += end - position
            if extensions > MAX_GIF_EXTENSIONS and not frames:
                raise too_costly_error("GIF", "it is padded with comments")
            position = end
    return Screened(several_frames=frames > 1)


def _skip_palette(position: int, flags: int) -> int:
    return position + (3 << (flags & 7) + 1 if flags & 0x80 else 0)


def _skip_sub_blocks(data: bytes, position: int, stop: int) -> int:
    stop = min(stop, len(data))
    while position < stop and data[position]:
        position += data[position] + 1
    return position + 1


def _screen_webp(data: bytes) -> Screened:
    # The decoder allocates the whole canvas on opening, before its size can be checked.
    name, bits = data[12:16], int.from_bytes(data[21:25], "little")
    if name == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif name == b"VP8L":
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width = int.from_bytes(data[26:28], "little") & 0x3FFF
        height = int.from_bytes(data[28:30], "little") & 0x3FFF
    check_pixels(width, height, MAX_PIXELS_WHOLE)
    return Screened()


def _screen_tiff(data: bytes) -> Screened:
    structure = _check_directories(data, "TIFF")
    numbers = {tag.number: tag.integer or 0 for tag in structure}
    preview_only = numbers.get(_SUBFILE_TYPE, 0) & 1 and _SUB_DIRECTORIES in numbers
    if data[8:10] == b"CR" or preview_only or _DNG_VERSION in numbers:
        # The first image in these is a thumbnail, which would be taken for the photo.
        raise unsupported_error("a camera raw file (DNG, CR2, NEF or the like)")
    for tag in structure:
        structural = tag.number <= _LAST_STRUCTURAL_TAG and tag.number != _TRANSFER_FUNCTION
        if structural and not tag.is_bytes and tag.count > MAX_TIFF_NUMBERS:
            raise too_costly_error("TIFF", f"tag {tag.number} lists {tag.count} numbers")
    # Decoders disagree on which of two equal tags counts, so take the largest value.
    widths = [tag.integer or 0 for tag in structure if tag.number == _TILE_WIDTH]
    lengths = [tag.integer or 0 for tag in structure if tag.number == _TILE_LENGTH]
    return Screened(tile_wh=(max(widths, default=0), max(lengths, default=0)))


def _check_directories(data: bytes, format_name: str) -> list[Tag]:
    """Return the tags of the first directory; ImageTooLarge if the tags' values overlap.

    Decoders copy the value of every tag, and thousands may point at the same bytes: a JPEG of
    180 KB took 500 MB to open; one of 50 MB would exhaust any machine.
    """
    try:
        directories = TagDirectories(data)
    except ValueError:
        return []
    first = _read_tags(directories.iterate_tags(directories.first), format_name)
    budget = 2 * len(data) + 64 * 1024  # values of an ordinary file do not overlap
    waiting, seen = [first], {directories.first}
    while waiting:
        for tag in waiting.pop():
            budget -= min(tag.size, max(0, len(data) - tag.offset))
            if budget < 0:
                raise too_costly_error(format_name, "its tags overlap")
            nested = tag.integer
            if tag.number in TiffTags.TAGS_V2_GROUPS and nested is not None and nested not in seen:
                seen.add(nested)
                waiting.append(_read_tags(directories.iterate_tags(nested), format_name))
    return first


def _read_tags(tags: Iterator[Tag], format_name: str) -> list[Tag]:
    found = list(itertools.islice(tags, MAX_METADATA_BLOCKS + 1))
    if len(found) > MAX_METADATA_BLOCKS:
        raise too_costly_error(format_name, "it is padded with metadata")
    return found


_RULES: dict[Format, Callable[[bytes], Screened]] = {
    Format.JPEG: _screen_jpeg,
    Format.PNG: _screen_png,
    Format.GIF: _screen_gif,
    Format.WEBP: _screen_webp,
    Format.TIFF: _screen_tiff,
}
