"""Reading ordinary pictures: format, name, notes, orientation and metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.reading.decoding import decode
from core.reading.formats import Format
from core.reading.orientation import read_orientation
from core.reading.reader import read_in_process
from core.types import RgbImage
from tests.core.reading.picture_files import (
    ASCII,
    BYTE,
    LONG,
    SHORT,
    TagValue,
    animation,
    corners,
    exif,
    make_jpeg,
    orientation_tag,
    photo,
    png_chunk,
    save,
    tiff,
    undo_orientation,
)

LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "BMP": {},
    "GIF": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
}
ALL_EIGHT = range(1, 9)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_every_lossless_format_gives_the_pixels_that_were_saved(kind: str) -> None:
    picture = corners()
    assert np.array_equal(
        read_in_process(save(picture, kind, **LOSSLESS[kind])).pixels, np.asarray(picture)
    )


def test_jpeg_gives_nearly_the_pixels_that_were_saved() -> None:
    picture = photo()
    read = read_in_process(save(picture, "JPEG", quality=95)).pixels.astype(int)
    assert np.abs(read - np.asarray(picture)).mean() < 6


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff_gives_the_pixels_that_were_saved(compression: str) -> None:
    picture = photo()
    read = read_in_process(save(picture, "TIFF", compression=compression))
    assert np.array_equal(read.pixels, np.asarray(picture))


def test_phone_jpeg_with_several_pictures_is_read_as_its_first_without_a_note() -> None:
    many = save(corners(), "MPO", save_all=True, append_images=[Image.new("RGB", (24, 16))])
    read = read_in_process(many)
    assert read.pixels[2, 2, 0] > 200
    assert read.notes == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 2)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"])
def test_tiny_and_thin_pictures_are_read(kind: str, size: tuple[int, int]) -> None:
    read = read_in_process(save(Image.new("RGB", size, (9, 9, 9)), kind))
    assert (read.width, read.height) == size


def test_result_is_contiguous_and_cannot_be_written_to() -> None:
    for orientation in ALL_EIGHT:
        stored = undo_orientation(corners(), orientation)
        pixels = read_in_process(save(stored, "PNG", exif=orientation_tag(orientation))).pixels
        assert pixels.flags.c_contiguous
        assert not pixels.flags.writeable
        assert pixels.dtype == np.uint8


def test_pixels_are_not_copied_again() -> None:
    pixels, _ = decode(save(corners(), "PNG"), Format.PNG)
    assert RgbImage(pixels).pixels is pixels


def test_format_depends_on_the_content_and_not_on_the_name(tmp_path: Path) -> None:
    path = tmp_path / "really a png.jpg"
    path.write_bytes(save(corners(), "PNG"))
    assert np.array_equal(read_in_process(path).pixels, np.asarray(corners()))


@pytest.mark.parametrize(
    "name", ["photo.jpg", "Übermütig 笑顔 😀.png", "-rf", "a\nb\u202egpj.exe", "no extension"]
)
def test_name_is_the_file_name_without_the_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(save(corners(), "PNG"))
    assert read_in_process(path).name == name


def test_name_can_be_given_and_bytes_have_a_default_name(tmp_path: Path) -> None:
    content = save(corners(), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert read_in_process(content).name == "image"
    assert read_in_process(content, name="holiday/a.png").name == "holiday/a.png"
    assert read_in_process(path, name="other").name == "other"


def test_string_as_source_raises_type_error() -> None:
    with pytest.raises(TypeError, match="bytes or a Path"):
        read_in_process("photo.jpg")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animation_is_read_as_its_first_frame_with_a_note(kind: str) -> None:
    read = read_in_process(animation(kind))
    assert read.pixels[0, 0].tolist() == [255, 0, 0]
    assert read.notes == ("The file is an animation; only its first frame was read.",)


def test_tiff_with_several_pages_is_read_as_its_first_with_a_note() -> None:
    read = read_in_process(animation("TIFF"))
    assert read.pixels[0, 0].tolist() == [255, 0, 0]
    assert read.notes == ("The file holds several pages; only the first was read.",)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "JPEG", "BMP"])
def test_single_picture_has_no_note(kind: str) -> None:
    assert read_in_process(save(corners(), kind)).notes == ()


def test_comment_of_a_gif_is_not_counted_as_a_frame() -> None:
    assert read_in_process(save(corners(), "GIF", comment=b",\0,;!" * 30)).notes == ()


def test_gif_damaged_after_its_first_frame_still_gives_that_frame() -> None:
    whole = animation("GIF")
    second = whole.index(b"\x21\xf9", whole.index(b"\x2c\0\0\0\0"))
    read = read_in_process(whole[: second + 3])
    assert read.pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("orientation", ALL_EIGHT)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_all_eight_orientations_give_the_same_picture(kind: str, orientation: int) -> None:
    picture = photo(37, 22)
    stored = undo_orientation(picture, orientation)
    tag: Any = orientation_tag(orientation) if kind != "TIFF" else Image.Exif()
    if kind == "TIFF":
        tag[274] = orientation
    content = save(stored, kind, exif=tag, **LOSSLESS[kind])
    assert np.array_equal(read_in_process(content).pixels, np.asarray(picture))


@pytest.mark.parametrize("orientation", ALL_EIGHT)
def test_sideways_phone_photo_is_turned_upright(orientation: int) -> None:
    picture = corners(48, 32)
    content = save(
        undo_orientation(picture, orientation), "JPEG", exif=orientation_tag(orientation)
    )
    read = read_in_process(content).pixels.astype(int)
    assert read.shape == (32, 48, 3)
    assert np.abs(read - np.asarray(picture)).mean() < 6


def test_orientation_after_the_pixels_of_a_png_is_used() -> None:
    content = save(undo_orientation(corners(), 6), "PNG")
    late = png_chunk(b"eXIf", orientation_tag(6).removeprefix(b"Exif\0\0"))
    read = read_in_process(content[:-12] + late + content[-12:])
    assert np.array_equal(read.pixels, np.asarray(corners()))


SENSELESS: dict[str, TagValue] = {
    "nought": (SHORT, 1, 0),
    "nine": (SHORT, 1, 9),
    "huge": (SHORT, 1, 65535),
    "text": (ASCII, 2, 0x36),
    "long text": (ASCII, 9, b"sideways\0"),
    "bytes": (BYTE, 1, 6),
    "a list": (SHORT, 2, 6),
    "outside the data": (LONG, 5, 2**31),
    "unknown type": (77, 1, 6),
}


@pytest.mark.parametrize("what", SENSELESS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_invalid_orientation_is_ignored(kind: str, what: str) -> None:
    content = save(corners(48, 32), kind, exif=exif((274, SENSELESS[what])))
    read = read_in_process(content)
    assert (read.width, read.height) == (48, 32)
    assert read.pixels[2, 2, 0] > 200


@pytest.mark.parametrize(
    "block",
    [b"", b"Exif\0\0", b"II", b"MM\0*", b"garbage, not a tag at all", b"II*\0\xff\xff\xff\xff"],
)
def test_picture_with_broken_exif_is_read(block: bytes) -> None:
    assert read_orientation(block) is None
    plain = save(corners(), "JPEG")
    assert read_in_process(make_jpeg(plain, (0xE1, b"Exif\0\0" + block))).width == 24


def test_orientation_is_read_in_both_byte_orders_and_from_long_numbers() -> None:
    big_endian = b"MM\0*\0\0\0\x08\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" + bytes(4)
    assert read_orientation(big_endian) == 6
    assert read_orientation(exif((274, (LONG, 1, 8)))) == 8


def test_invalid_orientation_of_a_tiff_is_ignored() -> None:
    raw = np.asarray(corners()).tobytes()
    for value in ((SHORT, 1, 0), (SHORT, 1, 9), (ASCII, 9, b"sideways\0")):
        read = read_in_process(tiff(raw, (24, 16), extra={274: value}))
        assert np.array_equal(read.pixels, np.asarray(corners()))


def test_no_metadata_survives_reading() -> None:
    secret = b"51.4779 N, 0.0015 W"
    content = save(corners(), "JPEG", exif=exif((270, (ASCII, len(secret), secret))))
    assert secret in content
    read = read_in_process(content, name="a.jpg")
    assert {read.name, *read.notes} == {"a.jpg"}
    assert secret not in read.pixels.tobytes()
