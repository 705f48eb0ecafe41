"""Picture files made by hand, byte by byte where no library would write them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage import data

Pixels = NDArray[np.uint8]
TagValue = tuple[int, int, "int | bytes"]
"""Type, count, and the four bytes of a small value as a number, or bytes that lie elsewhere."""

BYTE, ASCII, SHORT, LONG = 1, 2, 3, 4


def photo(width: int = 96, height: int = 64) -> Image.Image:
    """An ordinary colour photo (public domain), cut to an odd-sided shape."""
    return Image.fromarray(data.astronaut()).resize((width, height), Image.Resampling.BOX)


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as Pillow writes it."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def corners(width: int = 24, height: int = 16) -> Image.Image:
    """Return four flat quarters, red, green / blue, white, which show any turn."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return Image.fromarray(pixels)


def undo_orientation(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture as a camera held that way stores it: with the EXIF turn undone."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return image.transpose(undo[orientation]) if orientation in undo else image


def tags(entries: dict[int, TagValue] | list[tuple[int, TagValue]], *, after: bytes = b"") -> bytes:
    """A little-endian TIFF block with one directory; ``after`` follows the values."""
    pairs = list(entries.items()) if isinstance(entries, dict) else entries
    place = 8 + 2 + 12 * len(pairs) + 4
    head, values = b"II*\0\x08\0\0\0" + struct.pack("<H", len(pairs)), b""
    for number, (kind, count, value) in pairs:
        head += struct.pack("<HHI", number, kind, count)
        if isinstance(value, bytes):
            head += struct.pack("<I", place + len(values))
            values += value
        else:
            head += struct.pack("<I", value)  # smaller values stand at its beginning
    return head + b"\0\0\0\0" + values + after


def exif(*entries: tuple[int, TagValue]) -> bytes:
    """An EXIF block that holds just these tags."""
    return b"Exif\0\0" + tags(list(entries))


def orientation_tag(orientation: int) -> bytes:
    """An EXIF block with nothing but an orientation."""
    return exif((274, (SHORT, 1, orientation)))


def tiff(
    raw: bytes,
    size_wh: tuple[int, int],
    *,
    channels: int = 3,
    bits: int = 8,
    compression: int = 1,
    photometric: int = 2,
    sample_format: int = 1,
    tile_wh: tuple[int, int] | None = None,
    extra: dict[int, TagValue] | None = None,
) -> bytes:
    """A TIFF of one strip or one tile, with any tag added or replaced."""

    def directory(offset: int) -> bytes:
        per_channel = (SHORT, channels, struct.pack(f"<{channels}H", *[bits] * channels))
        entries: dict[int, TagValue] = {
            256: (LONG, 1, size_wh[0]),
            257: (LONG, 1, size_wh[1]),
            258: per_channel if channels > 2 else (SHORT, 1, bits),
            259: (SHORT, 1, compression),
            262: (SHORT, 1, photometric),
            277: (SHORT, 1, channels),
            339: (SHORT, 1, sample_format),
        }
        if tile_wh is None:
            entries |= {273: (LONG, 1, offset), 278: (LONG, 1, size_wh[1])}
            entries |= {279: (LONG, 1, len(raw))}
        else:
            entries |= {322: (LONG, 1, tile_wh[0]), 323: (LONG, 1, tile_wh[1])}
            entries |= {324: (LONG, 1, offset), 325: (LONG, 1, len(raw))}
        return tags(dict(sorted((entries | (extra or {})).items())))

    return directory(len(directory(0))) + raw


def overlapping_tags(count: int, size: int) -> bytes:
    """A directory whose tags all claim the same bytes."""
    place = 8 + 2 + 12 * count + 4
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", count)
    head += b"".join(struct.pack("<HHII", 1000 + k, BYTE, size, place) for k in range(count))
    return head + b"\0\0\0\0" + bytes(size)


def png_chunk(name: bytes, content: bytes) -> bytes:
    """One chunk with its checksum."""
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def raw_profile_text(name: str, profile: bytes) -> bytes:
    """Return the text chunk in which ImageMagick stores EXIF or XMP."""
    digits = profile.hex().encode()
    lines = b"\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    head = f"Raw profile type {name}\0\n{name}\n{len(profile):8}\n"
    return head.encode() + lines + b"\n"


XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
"""Before the XMP of a JPEG."""


def xmp(orientation: int) -> bytes:
    """Return an XMP packet with nothing but an orientation."""
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>'
        % orientation
    )


def png(
    raw: bytes, size_wh: tuple[int, int], *, depth: int, color: int, chunks: bytes = b""
) -> bytes:
    """A PNG from scanlines that already carry their filter bytes."""
    header = struct.pack(">IIBBBBB", *size_wh, depth, color, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(raw)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + chunks + body


def png_16_bit_rgb(pixels: NDArray[np.uint16], chunks: bytes = b"") -> bytes:
    """A 16-bit colour PNG, which Pillow reads but does not write."""
    height, width, _ = pixels.shape
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return png(raw, (width, height), depth=16, color=2, chunks=chunks)


def make_jpeg(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with segments put in front; without the density that keeps Pillow off the EXIF."""
    bare = jpeg[:2] + jpeg[20:]
    made = b"".join(b"\xff" + bytes([m]) + struct.pack(">H", len(c) + 2) + c for m, c in segments)
    return bare[:2] + made + bare[2:]


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG whose header claims any size."""
    jpeg = save(Image.new("L", (8, 8)), "JPEG")
    place = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]


def lossless_jpeg(width: int, height: int) -> bytes:
    """A flat grey JPEG of the lossless process, which Pillow reads but does not write."""
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0"
    one_code_for_no_difference = b"\0\x01" + bytes(15) + b"\0"
    scan = b"\x01\x01\0\x01\0\0"
    parts = ((0xC3, frame), (0xC4, one_code_for_no_difference), (0xDA, scan))
    made = b"".join(b"\xff" + bytes([m]) + struct.pack(">H", len(c) + 2) + c for m, c in parts)
    return b"\xff\xd8" + made + bytes(width * height // 8 + 16) + b"\xff\xd9"


def gif_of_size(width: int, height: int) -> bytes:
    """A small GIF whose frame and screen claim any size."""
    gif = bytearray(save(Image.new("P", (8, 8)), "GIF"))
    frame = gif.index(b"\x2c\0\0\0\0")
    gif[6:10] = gif[frame + 5 : frame + 9] = struct.pack("<HH", width, height)
    return bytes(gif)


def bmp_of_size(width: int, height: int) -> bytes:
    """A small BMP whose header claims any size."""
    bmp = bytearray(save(Image.new("RGB", (8, 8)), "BMP"))
    bmp[18:26] = struct.pack("<ii", width, height)
    return bytes(bmp)


def run_length_bmp(width: int, height: int, codes: bytes) -> bytes:
    """An 8-bit BMP compressed by run lengths, its palette a ramp of red."""
    palette = b"".join(bytes((0, 0, level, 0)) for level in range(256))
    start = 14 + 40 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(codes), 0, 0, 256, 0)
    head = struct.pack("<IHHI", start + len(codes), 0, 0, start)
    return b"BM" + head + info + palette + codes


def webp_of_size(width: int, height: int, kind: bytes = b"VP8X") -> bytes:
    """The front of a WebP of each of its three kinds, claiming any size."""
    if kind == b"VP8X":
        sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        content = bytes(4) + sizes
    elif kind == b"VP8L":
        content = b"\x2f" + (width - 1 | height - 1 << 14).to_bytes(4, "little") + bytes(9)
    else:
        content = b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(10)
    body = b"WEBP" + kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


def animation(kind: str) -> bytes:
    """Three frames, the first of them red."""
    frames = [Image.new("RGB", (16, 12), color) for color in ("red", "lime", "blue")]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    if kind in ("GIF", "WEBP", "PNG"):
        options["duration"] = 100
    return save(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def make_profile() -> bytes:
    """Return an ICC profile that swaps red and blue, so that its effect is plain."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # The directory of tags begins at 132: number of entries, then name, offset and size of each.
    (entries,) = struct.unpack_from(">I", profile, 128)
    places = {bytes(profile[p : p + 4]): p for p in range(132, 132 + 12 * entries, 12)}
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        profile[blue + 4 : blue + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
