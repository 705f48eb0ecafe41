"""A large picture is decoded no larger than useful, and comes back reduced and upright."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.reading import decoding, limits, upright
from core.reading.reader import read_in_process
from tests.core.reading.picture_files import (
    corners,
    jpeg_of_size,
    lossless_jpeg,
    make_profile,
    orientation_tag,
    photo,
    save,
    undo_orientation,
)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_large_picture_is_reduced_and_has_a_note(kind: str) -> None:
    picture = Image.new("RGB", (5000, 2500), (200, 10, 10))
    options = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
    # Only with a palette does so large a BMP stay small.
    picture = picture.quantize(2) if kind == "BMP" else picture
    read = read_in_process(save(picture, kind, **options))
    assert (read.width, read.height) == (4096, 2048)
    (note,) = read.notes
    assert "reduced from 5000 x 2500 to 4096 x 2048 pixels" in note
    assert "boxes refer to the reduced picture" in note
    assert np.abs(read.pixels[1000, 2000].astype(int) - [200, 10, 10]).max() < 8


def test_picture_of_4096_pixels_is_not_reduced() -> None:
    read = read_in_process(save(Image.new("L", (4096, 50), 9), "PNG"))
    assert (read.width, read.height, read.notes) == (4096, 50, ())


@pytest.mark.parametrize("size", [(9000, 1), (1, 9000), (20_000, 3)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_thin_and_long_pictures_keep_at_least_one_pixel(kind: str, size: tuple[int, int]) -> None:
    read = read_in_process(save(Image.new("RGB", size, (9, 9, 9)), kind))
    assert max(read.width, read.height) <= limits.MAX_SIDE
    assert min(read.width, read.height) == 1
    assert len(read.notes) == 1


def test_reduced_picture_is_turned_upright_and_so_is_the_size_in_its_note() -> None:
    picture = corners(6000, 1000)
    stored = undo_orientation(picture, 6)
    assert stored.size == (1000, 6000)
    for kind in ("PNG", "JPEG"):
        read = read_in_process(save(stored, kind, exif=orientation_tag(6)))
        assert (read.width, read.height) == (4096, 683)
        assert "from 6000 x 1000 to 4096 x 683" in read.notes[0]
        assert read.pixels[100, 100, 0] > 200  # red in the upper left
        assert read.pixels[100, 4000, 1] > 200  # green in the upper right


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "1"])
def test_reducing_in_bands_leaves_no_seams(mode: str) -> None:
    slope = np.tile(np.linspace(0, 255, 4500, dtype=np.float32)[:, None], (1, 1100))
    deep = {"I;16": (slope * 257).astype(np.uint16), "F": slope / 255}
    if mode in deep:
        picture = Image.fromarray(deep[mode])
    else:
        grey = Image.fromarray(slope.astype(np.uint8))
        picture = grey.convert(mode) if mode in "LA P 1" else grey.convert("RGB").convert(mode)
    kind = "TIFF" if mode in ("CMYK", "F") else "PNG"
    read = read_in_process(save(picture, kind)).pixels[..., 0].astype(int)
    assert read.shape == (4096, 1001)
    if mode != "1":  # whose slope is made of dots
        assert np.abs(np.diff(read[:, 500])).max() <= 2
    assert read[:200].mean() < 12
    assert read[-200:].mean() > 243


def test_reducing_in_bands_gives_the_same_as_reducing_at_once() -> None:
    picture = photo(4700, 1300)
    whole = picture.resize((4096, 1133), Image.Resampling.BICUBIC)
    read = read_in_process(save(picture, "PNG", compress_level=1)).pixels
    assert np.abs(read.astype(int) - np.asarray(whole)).max() <= 1


def test_colour_profile_and_alpha_also_apply_to_reduced_pictures() -> None:
    picture = Image.new("RGBA", (5000, 40), (255, 0, 0, 255))
    picture.paste((255, 0, 0, 0), (2500, 0, 5000, 40))
    read = read_in_process(save(picture, "PNG", icc_profile=make_profile())).pixels
    assert read[10, 100].tolist() == [0, 0, 255]
    assert read[10, 4000].tolist() == [255, 255, 255]


def test_50_megapixel_jpeg_is_decoded_at_half_size(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[tuple[int, int]] = []
    reduce = upright._reduce_size

    def record(*size):
        decoded.append(size)
        return reduce(*size)

    monkeypatch.setattr(upright, "_reduce_size", record)
    read = read_in_process(save(Image.new("L", (8160, 6120), 128), "JPEG"))
    assert decoded == [(4080, 3060)]
    assert (read.width, read.height) == (4080, 3060)
    assert "from 8160 x 6120 to 4080 x 3060" in read.notes[0]


@pytest.mark.parametrize(
    ("size", "decoded_as"),
    [
        ((6000, 4000), (6000, 4000)),  # 24 megapixels: all detail is used
        ((8660, 5773), (4330, 2887)),
        ((7071, 7071), (3536, 3536)),
        ((16_384, 1000), (4096, 250)),
        ((40_000, 1000), (5000, 125)),
        ((65_000, 8), (8125, 1)),
        ((65_000, 1), (65_000, 1)),  # nothing to gain
    ],
)
def test_jpeg_is_decoded_no_larger_than_needed(
    size: tuple[int, int], decoded_as: tuple[int, int]
) -> None:
    image = Image.open(io.BytesIO(jpeg_of_size(*size)))
    decoding._reduce_while_decoding(image)
    assert image.size == decoded_as


def test_large_lossless_jpeg_is_read_without_corrupting_memory(tmp_path: Path, root: Path) -> None:
    # In a process of its own, because the failure this guards against takes the process down.
    disguised = lossless_jpeg(9000, 64)
    disguised = (
        disguised[:2] + b"\xff\xfe\0\x0d\xff\xc0\0\x0b\x08\0\x40\x23\x28\x01\0" + disguised[2:]
    )
    (tmp_path / "a.jpg").write_bytes(lossless_jpeg(9000, 64))
    (tmp_path / "b.jpg").write_bytes(disguised)
    program = (
        "import sys; from pathlib import Path; from core.reading.reader import read_in_process\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    read = read_in_process(path); print(read.width, read.height, set(read.pixels.flat))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["4096 29 {128}"] * 2
