"""Every kind of pixels comes out as the 8-bit sRGB that a person would see."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.reading.reader import read_in_process
from tests.core.reading.picture_files import (
    SHORT,
    corners,
    make_profile,
    photo,
    png,
    png_16_bit_rgb,
    png_chunk,
    save,
    tiff,
)

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The one channel of a colourless picture."""
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


def transparent(*values: int) -> bytes:
    return png_chunk(b"tRNS", struct.pack(f">{len(values)}H", *values))


def test_8_bit_grey_keeps_its_values() -> None:
    assert np.array_equal(grey(read_in_process(save(Image.fromarray(RAMP), "PNG")).pixels), RAMP)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_1_bit_becomes_black_and_white(kind: str) -> None:
    picture = Image.fromarray(RAMP).convert("1")
    read = grey(read_in_process(save(picture, kind)).pixels)
    assert np.array_equal(read, np.asarray(picture.convert("L")))
    assert set(np.unique(read)) == {0, 255}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped_to_white(kind: str) -> None:
    deep = Image.fromarray(RAMP.astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    assert np.array_equal(grey(read_in_process(save(deep, kind)).pixels), RAMP)


def test_16_bit_grey_in_the_other_byte_order_is_scaled_the_same() -> None:
    deep = Image.frombytes("I;16B", (16, 16), (RAMP.astype(">u2") * 257).tobytes())
    assert np.array_equal(grey(read_in_process(save(deep, "TIFF")).pixels), RAMP)


def test_12_bit_values_in_16_bit_words_are_not_read_as_black() -> None:
    deep = Image.fromarray(RAMP.astype(np.uint16) * 16)
    read = grey(read_in_process(save(deep, "PNG")).pixels)
    assert np.abs(read.astype(int) - RAMP).max() <= 1


def test_16_bit_colour_is_scaled() -> None:
    pixels = np.asarray(photo()).astype(np.uint16) * 257
    assert np.array_equal(read_in_process(png_16_bit_rgb(pixels)).pixels, np.asarray(photo()))


@pytest.mark.parametrize(
    ("what", "values"),
    {
        "integers of 8 bits": RAMP.astype(np.int32),
        "integers of 16 bits": RAMP.astype(np.int32) * 257,
        "integers of 31 bits": RAMP.astype(np.int32) * 8_000_000,
        "negative integers": RAMP.astype(np.int32) * 100 - 12_000,
        "floats up to one": RAMP.astype(np.float32) / 255,
        "floats up to 255": RAMP.astype(np.float32),
        "floats up to 65535": RAMP.astype(np.float32) * 257,
        "high dynamic range": RAMP.astype(np.float32) / 64,
        "negative floats": RAMP.astype(np.float32) / 8 - 7,
        "the largest floats": (RAMP.astype(np.float32) - 127.5) * np.float32(2e36),
    }.items(),
)
def test_integers_and_floats_are_scaled_by_their_range(
    what: str, values: NDArray[np.generic]
) -> None:
    read = grey(read_in_process(save(Image.fromarray(values), "TIFF")).pixels)
    assert np.abs(read.astype(int) - RAMP).max() <= 1, what


def test_nan_becomes_black_and_changes_no_other_pixel() -> None:
    values = RAMP.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    read = grey(read_in_process(save(Image.fromarray(values), "TIFF")).pixels)
    assert read[0, :3].tolist() == [0, 255, 0]
    assert np.array_equal(read[1:], RAMP[1:])


def test_flat_deep_pictures_are_read() -> None:
    for value in (0.0, 300.0, -5.0, float("nan")):
        values = np.full((4, 4), value, np.float32)
        assert read_in_process(save(Image.fromarray(values), "TIFF")).width == 4


def test_deep_tiff_whose_zero_is_white_is_inverted() -> None:
    raw = (65535 - RAMP.astype("<u2") * 257).tobytes()
    content = tiff(raw, (16, 16), channels=1, bits=16, photometric=0)
    assert np.array_equal(grey(read_in_process(content).pixels), RAMP)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_transparent_colour_picture_is_flattened_on_white(kind: str) -> None:
    picture = corners().convert("RGBA")
    picture.putalpha(Image.fromarray(np.tile(np.uint8([0, 255]), (16, 12))))
    read = read_in_process(save(picture, kind)).pixels
    assert (read[:, ::2] == 255).all()
    assert np.array_equal(read[:, 1::2], np.asarray(corners())[:, 1::2])


def test_half_transparent_red_is_pink() -> None:
    read = read_in_process(save(Image.new("RGBA", (2, 2), (255, 0, 0, 128)), "PNG")).pixels
    assert np.abs(read[0, 0].astype(int) - [255, 127, 127]).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_transparent_grey_picture_is_flattened_on_white(kind: str) -> None:
    picture = Image.merge("LA", [Image.new("L", (2, 1), 40), Image.new("L", (2, 1), 0)])
    picture.putpixel((1, 0), (40, 255))
    assert grey(read_in_process(save(picture, kind)).pixels).tolist() == [[255, 40]]


def test_transparent_webp_is_flattened_on_white() -> None:
    picture = Image.new("RGBA", (4, 4), (0, 90, 0, 0))
    read = read_in_process(save(picture, "WEBP", lossless=True, exact=True))
    assert (read.pixels == 255).all()


def test_premultiplied_alpha_of_a_tiff_is_undone_before_flattening() -> None:
    # Half transparent red, once as it is and once already multiplied by its alpha.
    content = tiff(bytes((128, 0, 0, 128)), (1, 1), channels=4, extra={338: (SHORT, 1, 1)})
    assert np.abs(read_in_process(content).pixels[0, 0].astype(int) - [255, 127, 127]).max() <= 1


def test_palette_with_transparency_is_flattened_on_white() -> None:
    picture = Image.new("P", (3, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    picture.putdata([0, 1, 2])
    for transparency in (1, bytes((255, 0, 255))):
        read = read_in_process(save(picture, "PNG", transparency=transparency)).pixels
        assert read.tolist() == [[[10, 20, 30], [255, 255, 255], [70, 80, 90]]]


def test_transparent_gif_is_flattened_on_white() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([200, 0, 0, 0, 0, 200])
    picture.putdata([0, 1])
    read = read_in_process(save(picture, "GIF", transparency=1)).pixels
    assert read.tolist() == [[[200, 0, 0], [255, 255, 255]]]


def test_palette_with_alpha_channel_of_a_tiff_is_flattened_on_white() -> None:
    ramp = struct.pack("<768H", *[level * 257 for _ in range(3) for level in range(256)])
    content = tiff(
        bytes((7, 255, 7, 0)),
        (2, 1),
        channels=2,
        photometric=3,
        extra={320: (SHORT, 768, ramp), 258: (SHORT, 2, 8 | 8 << 16), 338: (SHORT, 1, 2)},
    )
    assert grey(read_in_process(content).pixels).tolist() == [[7, 255]]


@pytest.mark.parametrize(
    ("depth", "color", "row", "hidden", "seen"),
    [
        (1, 0, b"\x40", (0,), [255, 255]),
        (2, 0, b"\x10", (0,), [255, 85]),
        (2, 0, b"\x80", (2,), [255, 0]),
        (4, 0, b"\x3c", (3,), [255, 204]),
        (8, 0, b"\x05\x06", (5,), [255, 6]),
        (16, 0, b"\x80\x00\xff\xff", (32768,), [255, 255]),
        (16, 0, b"\x80\x00\xff\xff", (65535,), [128, 255]),
        (8, 2, b"\x05\x05\x05\x06\x06\x06", (5, 5, 5), [255, 6]),
        (16, 2, b"\x05\x07" * 3 + b"\x07\x05" * 3, (0x507, 0x507, 0x507), [255, 7]),
    ],
)
def test_transparent_colour_of_a_png_is_white_at_any_depth(
    depth: int, color: int, row: bytes, hidden: tuple[int, ...], seen: list[int]
) -> None:
    content = png(b"\0" + row, (2, 1), depth=depth, color=color, chunks=transparent(*hidden))
    assert grey(read_in_process(content).pixels).tolist() == [seen]


def test_palette_picture_gets_its_colours() -> None:
    picture = corners().quantize(4)
    assert np.array_equal(read_in_process(save(picture, "BMP")).pixels, np.asarray(corners()))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_colours_look_as_on_paper(kind: str) -> None:
    # A CMYK JPEG holds its values upside down, as Adobe's programs write them.
    cyan_and_dark = Image.new("CMYK", (32, 16), (255, 0, 0, 0))
    cyan_and_dark.paste((0, 0, 0, 200), (16, 0, 32, 16))
    read = read_in_process(save(cyan_and_dark, kind)).pixels.astype(int)
    assert np.abs(read[8, 4] - [0, 255, 255]).max() < 4
    assert np.abs(read[8, 28] - [55, 55, 55]).max() < 4


def test_lab_colours_of_a_tiff_are_converted() -> None:
    # L* 53, a* 80, b* 67 is the red of sRGB.
    content = tiff(struct.pack("Bbb", 135, 80, 67) * 4, (2, 2), photometric=8)
    assert np.abs(read_in_process(content).pixels[0, 0].astype(int) - [255, 0, 0]).max() < 12


@pytest.mark.parametrize("mode", ["HSV", "YCbCr", "RGBX", "La", "RGBa"])
def test_unexpected_modes_are_converted_too(mode: str) -> None:
    from core.reading.colour import ColourConversion

    source = {"La": "LA", "RGBa": "RGBA"}.get(mode, "RGB")
    picture = corners().convert(source).convert(mode)
    conversion = ColourConversion.from_image(picture)
    seen = np.asarray(conversion.to_rgb(conversion.to_resizable(picture))).astype(int)
    expected = np.asarray(corners().convert("L" if mode == "La" else "RGB").convert("RGB"))
    assert np.abs(seen - expected).max() <= 2


def test_colour_profile_is_applied() -> None:
    red = save(Image.new("RGB", (4, 4), (255, 0, 0)), "PNG", icc_profile=make_profile())
    assert read_in_process(red).pixels[0, 0].tolist() == [0, 0, 255]


def test_colour_profile_is_applied_to_transparent_pictures() -> None:
    picture = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    picture.putpixel((1, 0), (255, 0, 0, 0))
    read = read_in_process(save(picture, "PNG", icc_profile=make_profile())).pixels
    assert read.tolist() == [[[0, 0, 255], [255, 255, 255]]]


@pytest.mark.parametrize(
    "profile",
    [b"", b"not a profile", make_profile()[:200], bytes(3000)],
    ids=["empty", "text", "cut off", "zeros"],
)
def test_bad_colour_profile_is_ignored(profile: bytes) -> None:
    for kind in ("PNG", "TIFF", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        content = save(corners(), kind, icc_profile=profile, **options)
        assert np.array_equal(read_in_process(content).pixels, np.asarray(corners()))


def test_colour_profile_of_another_kind_of_picture_is_ignored() -> None:
    content = save(Image.fromarray(RAMP), "PNG", icc_profile=make_profile())
    assert np.array_equal(grey(read_in_process(content).pixels), RAMP)
