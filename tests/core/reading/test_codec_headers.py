"""The sizes that coded data claims are those that its decoder makes of it."""

from __future__ import annotations

import itertools

import pytest
from PIL import Image

from core.errors import ImageTooLarge
from core.reading.codec_headers import MAX_UNITS, CodedSize, measure_av1, measure_hevc
from core.reading.media_boxes import MediaFile
from tests.core.reading.media_files import avif, box, coded_item, heic
from tests.core.reading.picture_files import photo

SIZES = [(64, 64), (96, 64), (200, 120), (1024, 40)]


def measure(file: bytes) -> CodedSize:
    item = coded_item(file)
    kind, function = (b"av1C", measure_av1) if item.kind == b"av01" else (b"hvcC", measure_hevc)
    [config] = [each[8:] for each in item.properties if each[4:8] == kind]
    return function(config, item.content)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_size_of_hevc_is_found(size: tuple[int, int], mode: str) -> None:
    for chroma in ("420", "444"):
        coded = measure(heic(photo(*size).convert(mode), chroma=chroma))
        # Encoders code whole blocks, and say how much of the last ones to show.
        assert 0 <= coded.width - size[0] < 64
        assert 0 <= coded.height - size[1] < 64
        assert coded.pictures == 1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_size_of_av1_is_found(size: tuple[int, int], mode: str) -> None:
    coded = measure(avif(photo(*size).convert(mode)))
    assert (coded.width, coded.height, coded.pictures) == (*size, 1)


def test_size_of_an_animation_is_found() -> None:
    # Its sequence header is the long one, unlike that of a still picture.
    file = avif(photo(120, 80), save_all=True, append_images=[photo(120, 80)])
    track = MediaFile(file).tracks[0]
    start, end = track.first_frame
    coded = measure_av1(bytes(4), file[start:end])
    assert (coded.width, coded.height) == (120, 80)


def test_every_picture_in_the_data_counts() -> None:
    item = coded_item(heic(photo()))
    [config] = [each[8:] for each in item.properties if each[4:8] == b"hvcC"]
    assert measure_hevc(config, item.content * 3).pictures == 3
    item = coded_item(avif(photo()))
    [config] = [each[8:] for each in item.properties if each[4:8] == b"av1C"]
    assert measure_av1(config, item.content * 3).pictures == 3


def test_largest_of_several_sizes_counts() -> None:
    small, large = (coded_item(heic(Image.new("RGB", (side, side)))) for side in (64, 640))
    configs = [
        next(each[8:] for each in item.properties if each[4:8] == b"hvcC")
        for item in (small, large)
    ]
    both = configs[0] + configs[1][23:]
    joined = both[:22] + bytes([configs[0][22] + configs[1][22]]) + both[23:]
    assert measure_hevc(joined, small.content).width == 640


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_header_that_is_cut_off_is_no_size(cut: int) -> None:
    for file, kind, function in (
        (heic(photo()), b"hvcC", measure_hevc),
        (avif(photo()), b"av1C", measure_av1),
    ):
        item = coded_item(file)
        [config] = [each[8:] for each in item.properties if each[4:8] == kind]
        try:
            function(config[:cut], item.content[:cut])
        except (ValueError, IndexError):
            continue


def test_too_many_pieces_are_refused() -> None:
    config = box(b"hvcC", bytes(22) + b"\0")[8:]
    with pytest.raises(ImageTooLarge, match="pieces"):
        measure_hevc(config, bytes(MAX_UNITS + 1))
    temporal_delimiters = bytes(itertools.islice(itertools.cycle((0x12, 0)), 2 * MAX_UNITS + 2))
    with pytest.raises(ImageTooLarge, match="pieces"):
        measure_av1(bytes(4), temporal_delimiters)
