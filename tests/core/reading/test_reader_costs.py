"""What a picture costs is bounded by its pixels, whatever profile, tiles or shape it has."""

from __future__ import annotations

import os
import signal
import struct
import sys
import time
import zlib
from functools import partial

import numpy as np
import pytest
from PIL import Image

from core import IsolatedReader, UnreadableImage
from core.errors import ImageTooLarge
from core.reading import decoder_process
from core.reading.colour_profiles import drop_float_tags
from core.reading.decoding import decode
from core.reading.formats import Format
from core.reading.limits import processor_seconds
from core.reading.reader import read_in_process
from tests.core.reading.faulty_decoder import COMMAND, with_fault
from tests.core.reading.media_files import avif, heic
from tests.core.reading.picture_files import make_profile, photo, png, save, tiff


def with_float_steps(profile: bytes, count: int) -> bytes:
    """Return a profile with a chain of ``count`` matrices as its tag D2B0."""
    matrix = b"matf" + bytes(4) + struct.pack(">HH", 3, 3)
    matrix += struct.pack(">12f", 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    head = 16 + 8 * count
    table = struct.pack(">II", head, len(matrix)) * count
    steps = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, count) + table + matrix
    (entries,) = struct.unpack_from(">I", profile, 128)
    start, added = 132 + 12 * entries, 12
    tags = b""
    for place in range(132, start, 12):
        name, offset, size = struct.unpack_from(">4sII", profile, place)
        tags += struct.pack(">4sII", name, offset + added, size)
    body = profile[start:]
    tags += struct.pack(">4sII", b"D2B0", start + added + len(body), len(steps))
    made = profile[4:128] + struct.pack(">I", entries + 1) + tags + body + steps
    return struct.pack(">I", len(made) + 4) + made


def test_profile_with_many_steps_is_applied_without_them() -> None:
    costly = with_float_steps(make_profile(), 3000)
    started = time.process_time()
    read = read_in_process(save(photo(400, 300), "PNG", icc_profile=costly)).pixels
    assert time.process_time() - started < 0.5
    swapped = np.asarray(photo(400, 300)).astype(int)[..., ::-1]
    assert abs(read - swapped).mean() < 3


def test_profile_without_such_steps_stays_as_it_is() -> None:
    profile = make_profile()
    assert drop_float_tags(profile) is profile
    assert drop_float_tags(b"short") == b"short"
    assert b"D2B0" not in drop_float_tags(with_float_steps(profile, 3))


def test_tiles_that_together_exceed_the_picture_are_refused() -> None:
    tile = zlib.compress(bytes(1000))
    content = tiff(tile, (20_000, 16), compression=8, tile_wh=(16, 262_144))
    with pytest.raises(ImageTooLarge, match="tiles"):
        read_in_process(content)


def test_small_picture_in_ordinary_tiles_is_read() -> None:
    content = tiff(zlib.compress(bytes(512 * 512 * 3)), (10, 10), compression=8, tile_wh=(512, 512))
    assert read_in_process(content).width == 10


@pytest.mark.parametrize("size", [(1_000_001, 1), (1, 1_000_001), (40_000_000, 1)])
def test_side_of_more_than_a_million_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ImageTooLarge, match="on a side"):
        read_in_process(png(b"", size, depth=8, color=2))


@pytest.mark.parametrize("size", [(900_000, 2), (2, 60_000), (30_000, 40)])
def test_long_picture_is_reduced_part_by_part_to_the_same_pixels(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0]), np.uint8)
    picture = Image.fromarray(noise).convert("RGB")
    read = read_in_process(save(picture, "PNG", compress_level=1))
    assert max(read.width, read.height) == 4096
    whole = picture.resize((read.width, read.height), Image.Resampling.BICUBIC)
    assert abs(read.pixels.astype(int) - np.asarray(whole)).max() <= 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_picture_that_takes_far_too_much_processor_time_is_refused_at_once() -> None:
    with IsolatedReader(command=(*COMMAND, "0.3"), seconds=120) as faulty:
        content = save(photo(), "PNG")
        faulty.read(content)
        [spinning] = [link._process.pid for link in faulty._running]
        with pytest.raises(UnreadableImage, match="took far more time than its picture needs"):
            faulty.read(with_fault(content, "spin"))
        with pytest.raises(ProcessLookupError):
            os.kill(spinning, 0)
        assert faulty.read(content).width == 96


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("kind", [Format.PNG, Format.JPEG, Format.HEIC, Format.AVIF])
def test_processor_time_grows_with_the_size_of_the_picture(
    monkeypatch: pytest.MonkeyPatch, kind: Format
) -> None:
    allowed: list[float] = []
    monkeypatch.setattr(signal, "alarm", lambda _: None)
    monkeypatch.setattr(signal, "setitimer", lambda _, seconds: allowed.append(seconds))
    make = {Format.HEIC: heic, Format.AVIF: avif}.get(kind, partial(save, kind=kind.value))
    content = make(photo(2000, 1000))
    with decoder_process._time_limits(20) as note_size:
        decode(content, kind, note_size)
    least, most, none = allowed
    assert least == pytest.approx(processor_seconds(), abs=0.1)
    assert processor_seconds(2000, 1000) >= most > least
    assert none == 0
