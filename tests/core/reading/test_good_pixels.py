"""Files with every pixel in place are read, whatever is wrong around the pixels."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from core.errors import ImageTooLarge, UnreadableImage
from core.reading.jpeg_ends import open_without_end
from core.reading.reader import read_in_process
from tests.core.reading.picture_files import (
    SHORT,
    XMP_HEAD,
    corners,
    make_jpeg,
    make_profile,
    orientation_tag,
    photo,
    png_chunk,
    raw_profile_text,
    save,
    tiff,
    undo_orientation,
    xmp,
)


def with_chunks(file: bytes, *chunks: bytes, last: bool = False) -> bytes:
    """Return a PNG with chunks added after its header, or before its end."""
    place = len(file) - 12 if last else 33
    return file[:place] + b"".join(chunks) + file[place:]


def text_chunk(key: bytes, text: bytes) -> bytes:
    return png_chunk(b"tEXt", key + b"\0" + text)


def packed_chunk(key: bytes, text: bytes) -> bytes:
    return png_chunk(b"zTXt", key + b"\0\0" + zlib.compress(text))


def international_chunk(key: bytes, text: bytes, *, packed: bool) -> bytes:
    content = zlib.compress(text) if packed else text
    return png_chunk(b"iTXt", key + bytes([0, packed, 0]) + b"\0\0" + content)


def raw_profile(name: str, profile: bytes) -> bytes:
    return png_chunk(b"tEXt", raw_profile_text(name, profile))


def packed_raw_profile(name: str, profile: bytes) -> bytes:
    key, _, text = raw_profile_text(name, profile).partition(b"\0")
    return packed_chunk(key, text)


SIDEWAYS = undo_orientation(corners(), 6)
XMP_KEY = b"XML:com.adobe.xmp"
TURNED: dict[str, Callable[[], bytes]] = {
    "PNG raw profile": lambda: with_chunks(
        save(SIDEWAYS, "PNG"), raw_profile("exif", orientation_tag(6))
    ),
    "PNG packed raw profile": lambda: with_chunks(
        save(SIDEWAYS, "PNG"), packed_raw_profile("APP1", orientation_tag(6))
    ),
    "PNG raw profile without EXIF's head": lambda: with_chunks(
        save(SIDEWAYS, "PNG"), raw_profile("exif", orientation_tag(6)[6:])
    ),
    "PNG raw profile at the end": lambda: with_chunks(
        save(SIDEWAYS, "PNG"), raw_profile("exif", orientation_tag(6)), last=True
    ),
    "PNG raw profile of XMP": lambda: with_chunks(
        save(SIDEWAYS, "PNG"), raw_profile("xmp", xmp(6))
    ),
    "PNG XMP": lambda: with_chunks(
        save(SIDEWAYS, "PNG"), international_chunk(XMP_KEY, xmp(6), packed=False)
    ),
    "PNG packed XMP": lambda: with_chunks(
        save(SIDEWAYS, "PNG"), international_chunk(XMP_KEY, xmp(6), packed=True)
    ),
    "PNG EXIF at the end": lambda: with_chunks(
        save(SIDEWAYS, "PNG"), png_chunk(b"eXIf", orientation_tag(6)[6:]), last=True
    ),
    "JPEG XMP": lambda: make_jpeg(save(SIDEWAYS, "JPEG", quality=95), (0xE1, XMP_HEAD + xmp(6))),
    "JPEG XMP as an element": lambda: make_jpeg(
        save(SIDEWAYS, "JPEG", quality=95),
        (0xE1, XMP_HEAD + b"<tiff:Orientation>6</tiff:Orientation>"),
    ),
    "WebP XMP": lambda: save(SIDEWAYS, "WEBP", lossless=True, xmp=xmp(6)),
    "TIFF XMP": lambda: tiff(
        SIDEWAYS.tobytes(), SIDEWAYS.size, extra={700: (1, len(xmp(6)), xmp(6))}
    ),
}


@pytest.mark.parametrize("what", TURNED)
def test_orientation_is_found_wherever_it_is_written(what: str) -> None:
    read = read_in_process(TURNED[what]())
    assert (read.width, read.height) == (24, 16)
    assert abs(read.pixels.astype(int) - np.asarray(corners())).mean() < 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_exif_takes_precedence_over_xmp(kind: str) -> None:
    if kind == "JPEG":
        segments = ((0xE1, orientation_tag(1)), (0xE1, XMP_HEAD + xmp(6)))
        content = make_jpeg(save(corners(), "JPEG"), *segments)
    elif kind == "PNG":
        content = with_chunks(
            save(corners(), "PNG"),
            international_chunk(XMP_KEY, xmp(6), packed=False),
            png_chunk(b"eXIf", orientation_tag(1)[6:]),
        )
    else:
        tags = {274: (SHORT, 1, 1), 700: (1, len(xmp(6)), xmp(6))}
        content = tiff(corners().tobytes(), (24, 16), extra=tags)
    assert read_in_process(content).width == 24


NOISE = bytes(np.random.default_rng(0).integers(0, 256, 1_500_000, np.uint8))
AROUND = {
    "text of 2 MB": text_chunk(b"Comment", b"words " * 350_000),
    "packed text of 2 MB": packed_chunk(b"Comment", b"x" * 2_000_000),
    "international text of 2 MB": international_chunk(
        b"Comment", NOISE.hex().encode(), packed=True
    ),
    "text with a wrong checksum": text_chunk(b"Comment", b"words")[:-1] + b"!",
    "damaged packed text": png_chunk(b"zTXt", b"Comment\0\0no zlib"),
    "text that is no text": png_chunk(b"iTXt", b"\xff\xfe"),
    "EXIF that is none": png_chunk(b"eXIf", b"garbage"),
    "raw profile without digits": text_chunk(b"Raw profile type exif", b"\nexif\n 4\nwxyz"),
    "profile that is none": png_chunk(b"iCCP", b"p\0\0" + zlib.compress(b"no profile")),
}


@pytest.mark.parametrize("what", AROUND)
@pytest.mark.parametrize("last", [False, True])
def test_png_is_read_whatever_surrounds_its_pixels(what: str, last: bool) -> None:
    picture = photo(300, 200)
    content = with_chunks(save(picture, "PNG"), AROUND[what], last=last)
    assert np.array_equal(read_in_process(content).pixels, np.asarray(picture))


def test_large_profile_of_a_png_is_applied() -> None:
    profile = make_profile()
    padded = (len(profile) + len(NOISE)).to_bytes(4, "big") + profile[4:] + NOISE
    chunk = png_chunk(b"iCCP", b"p\0\0" + zlib.compress(padded))
    read = read_in_process(with_chunks(save(photo(), "PNG"), chunk)).pixels
    assert abs(read.astype(int) - np.asarray(photo())[..., ::-1]).mean() < 3


def test_texts_that_unpack_to_far_more_than_the_picture_are_refused() -> None:
    bomb = [packed_chunk(b"Comment", bytes(2_000_000))] * 3
    with pytest.raises(ImageTooLarge, match="texts unpack"):
        read_in_process(with_chunks(save(Image.new("L", (1, 1)), "PNG"), *bomb))
    assert read_in_process(with_chunks(save(photo(600, 400), "PNG"), *bomb)).width == 600


JPEGS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "full colour": {"subsampling": 0, "quality": 95},
    "restarts": {"restart_marker_rows": 1},
    "progressive restarts": {"progressive": True, "restart_marker_blocks": 3},
}


@pytest.mark.parametrize("what", JPEGS)
@pytest.mark.parametrize("tail", [b"", b"\xff", bytes(500)], ids=["", "half", "zeros"])
def test_jpeg_without_its_end_marker_is_read(what: str, tail: bytes) -> None:
    whole = save(photo(97, 65), "JPEG", **JPEGS[what])
    read = read_in_process(whole[:-2] + tail)
    assert np.array_equal(read.pixels, read_in_process(whole).pixels)


@pytest.mark.parametrize("what", JPEGS)
def test_jpeg_whose_pixels_are_cut_off_is_refused(what: str) -> None:
    whole = save(photo(), "JPEG", **JPEGS[what])
    for cut in (4, 6, 10, 40, 200, len(whole) // 2):
        with pytest.raises(UnreadableImage, match="damaged or cut off"):
            read_in_process(whole[:-cut])


def test_jpeg_cut_off_at_a_restart_or_before_its_last_scan_is_refused() -> None:
    restarts = save(photo(), "JPEG", restart_marker_rows=1)
    scans = save(photo(), "JPEG", progressive=True)
    for whole, mark in ((restarts, b"\xff\xd2"), (scans, b"\xff\xda")):
        with pytest.raises(UnreadableImage):
            read_in_process(whole[: whole.rindex(mark)])


def test_large_jpeg_without_its_end_is_not_decoded_again_and_again() -> None:
    content = save(photo(), "JPEG", progressive=True)[:-2]
    tried = []
    assert open_without_end(content, 10**9, tried.append) is None
    assert tried == []


@pytest.mark.parametrize("compression", [1, 5, 8], ids=["none", "LZW", "deflate"])
@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
def test_ycbcr_tiff_is_read(compression: int, subsampling: tuple[int, int]) -> None:
    across, down = subsampling
    # More than the 64 KB that Pillow feeds to a decoder at once.
    picture = photo(320, 256)
    values = np.asarray(picture.convert("YCbCr"))
    blocks = values.reshape(256 // down, down, 320 // across, across, 3).swapaxes(1, 2)
    grey = blocks[..., 0].reshape(*blocks.shape[:2], -1)
    raw = np.concatenate([grey, blocks[..., 1:].mean((2, 3)).astype(np.uint8)], 2).tobytes()
    pack = {1: bytes, 5: pack_lzw, 8: zlib.compress}[compression]
    tags = {530: (SHORT, 2, across | down << 16)}
    content = tiff(pack(raw), (320, 256), compression=compression, photometric=6, extra=tags)
    read = read_in_process(content).pixels
    assert abs(read.astype(int) - np.asarray(picture)).mean() < 5


def pack_lzw(raw: bytes) -> bytes:
    """Return data in TIFF's LZW as it is: only single bytes, in codes of nine bits."""
    parts = (raw[start : start + 200] for start in range(0, len(raw), 200))
    bits = "".join(f"{256:09b}" + "".join(f"{byte:09b}" for byte in part) for part in parts)
    bits += f"{257:09b}"
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def test_planes_of_ycbcr_without_compression_are_refused_instead_of_shown_in_wrong_colours() -> (
    None
):
    planes = np.asarray(photo().convert("YCbCr")).transpose(2, 0, 1).tobytes()
    content = tiff(planes, (96, 64), photometric=6, extra={284: (SHORT, 1, 2)})
    with pytest.raises(UnreadableImage):
        read_in_process(content)
