"""Reading HEIC and AVIF: what phones write, and what they may get wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from core.errors import UnreadableImage, UnsupportedImage
from core.reading.formats import Format, identify, is_video_head
from core.reading.isolation import IsolatedReader
from core.reading.reader import read_in_process
from core.types import UInt8Array
from tests.core.reading.media_files import (
    MediaItem,
    avif,
    box,
    coded_item,
    deep_heic,
    full_box,
    grid,
    heic,
    media_file,
)
from tests.core.reading.picture_files import make_profile, orientation_tag, photo, undo_orientation

MAKERS: dict[str, Callable[..., bytes]] = {"HEIC": heic, "AVIF": avif}
LOSS = 5.0
"""Mean difference per channel that the encoders may make."""


def difference(read: UInt8Array, wanted: Any) -> float:
    """Mean absolute difference of two pictures of the same shape."""
    expected = np.asarray(wanted.convert("RGB") if isinstance(wanted, Image.Image) else wanted)
    assert read.shape == expected.shape
    return float(abs(read.astype(int) - expected.astype(int)).mean())


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[..., bytes]:
    return MAKERS[request.param]


def test_photo_is_read_whatever_its_name(make: Callable[..., bytes], tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(make(photo()))
    read = read_in_process(path)
    assert difference(read.pixels, photo()) < LOSS
    assert read.notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turn_is_applied_once(make: Callable[..., bytes], orientation: int) -> None:
    # Encoders write it twice: as a property of the format, and in the EXIF block.
    stored = undo_orientation(photo(), orientation)
    content = make(stored, exif=orientation_tag(orientation))
    assert difference(read_in_process(content).pixels, photo()) < LOSS


def test_exif_alone_turns_nothing(make: Callable[..., bytes]) -> None:
    kind = b"heic" if make is heic else b"avif"
    exif = MediaItem(b"Exif", bytes(4) + orientation_tag(6)[6:], [], {b"cdsc": [1]})
    content = media_file([coded_item(make(photo())), exif], brand=kind)
    assert difference(read_in_process(content).pixels, photo()) < LOSS


@pytest.mark.parametrize(
    ("turn", "transpose"),
    [
        (box(b"irot", b"\1"), Image.Transpose.ROTATE_90),
        (box(b"irot", b"\2"), Image.Transpose.ROTATE_180),
        (box(b"irot", b"\3"), Image.Transpose.ROTATE_270),
        (box(b"imir", b"\0"), Image.Transpose.FLIP_TOP_BOTTOM),
        (box(b"imir", b"\1"), Image.Transpose.FLIP_LEFT_RIGHT),
    ],
)
def test_a_turn_without_exif_is_applied(
    make: Callable[..., bytes], turn: bytes, transpose: Image.Transpose
) -> None:
    item = coded_item(make(photo()))
    item.properties.append(turn)
    content = media_file([item], brand=b"heic" if make is heic else b"avif")
    assert difference(read_in_process(content).pixels, photo().transpose(transpose)) < LOSS


def test_broken_metadata_does_not_matter(make: Callable[..., bytes]) -> None:
    broken = MediaItem(b"Exif", b"\xff\xff\xff\xffgarbage", [], {b"cdsc": [1]})
    brand = b"heic" if make is heic else b"avif"
    content = media_file([coded_item(make(photo())), broken], brand=brand)
    assert difference(read_in_process(content).pixels, photo()) < LOSS


@pytest.mark.parametrize(
    ("mode", "channels"), [("RGB;16", 3), ("RGBA;16", 4), ("L;16", 1)], ids=["RGB", "RGBA", "grey"]
)
def test_ten_bits_are_read(mode: str, channels: int) -> None:
    eight = np.asarray(photo().convert("L") if channels == 1 else photo())
    deep = eight.astype(np.uint16) * 257
    if channels == 4:
        deep = np.dstack([deep, np.full(deep.shape[:2], 65_535, np.uint16)])
    read = read_in_process(deep_heic(mode, deep)).pixels
    wanted = eight if channels > 1 else np.repeat(eight[..., None], 3, axis=2)
    assert difference(read, wanted) < LOSS


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_flattened_on_white(make: Callable[..., bytes], mode: str) -> None:
    clear = photo().convert(mode)
    clear.putalpha(Image.new("L", clear.size, 128))
    plain = np.asarray(photo().convert("L" if mode == "LA" else "RGB").convert("RGB")).astype(int)
    read = read_in_process(make(clear)).pixels
    assert difference(read, plain * 128 / 255 + 127) < LOSS


def test_profile_is_applied(make: Callable[..., bytes]) -> None:
    read = read_in_process(make(photo(), icc_profile=make_profile())).pixels
    assert difference(read, np.asarray(photo())[..., ::-1]) < LOSS


def test_first_frame_of_an_animation_is_read_and_said() -> None:
    content = avif(photo(), save_all=True, append_images=[photo().rotate(180)])
    assert content[8:12] == b"avis"
    read = read_in_process(content)
    assert difference(read.pixels, photo()) < LOSS
    assert read.notes == ("The file is an animation; only its first frame was read.",)


def test_main_picture_of_several_is_read_and_said() -> None:
    other = photo().rotate(180)
    for main in (0, 1):
        read = read_in_process(heic(photo(), other, primary_index=main))
        assert difference(read.pixels, (photo(), other)[main]) < LOSS
        assert read.notes == ("The file holds several pictures; only the main one was read.",)


def test_thumbnails_depth_maps_and_gain_maps_are_not_mentioned() -> None:
    def belonging(link: bytes, name: bytes = b"") -> MediaItem:
        item = coded_item(heic(photo(48, 32)))
        if name:
            item.properties.append(full_box(b"auxC", name + b"\0"))
        item.links = {link: [1]}
        return item

    depth = belonging(b"auxl", b"urn:mpeg:hevc:2015:auxid:2")
    gain = belonging(b"auxl", b"urn:com:apple:photo:2020:aux:hdrgainmap")
    content = media_file([coded_item(heic(photo())), belonging(b"thmb"), depth, gain])
    read = read_in_process(content)
    assert difference(read.pixels, photo()) < LOSS
    assert read.notes == ()


@pytest.mark.parametrize("size", [(600, 400), (513, 511)])
def test_tiles_are_put_together(size: tuple[int, int]) -> None:
    content = heic(photo(*size), tile_size=256)
    assert b"grid" in content
    assert difference(read_in_process(content).pixels, photo(*size)) < LOSS


def test_avif_tiles_are_put_together() -> None:
    wide = photo(256, 128)
    tiles = [coded_item(avif(wide.crop((x, 0, x + 128, 128)))) for x in (0, 128)]
    content = media_file([grid(1, 2, (256, 128), [2, 3]), *tiles], brand=b"avif")
    assert difference(read_in_process(content).pixels, wide) < LOSS


@pytest.mark.parametrize("brand", [b"mif1", b"avif"])
def test_format_follows_from_the_coding_not_from_the_brand(brand: bytes) -> None:
    content = media_file([coded_item(heic(photo()))], brand=brand)
    assert identify(content) is Format.HEIC
    assert difference(read_in_process(content).pixels, photo()) < LOSS


def test_it_is_not_called_a_video(make: Callable[..., bytes]) -> None:
    assert not is_video_head(make(photo())[:4096])


def test_other_coding_is_named() -> None:
    item = coded_item(heic(photo()))
    item.kind = b"vvc1"
    with pytest.raises(UnsupportedImage, match="another coding"):
        read_in_process(media_file([item]))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99, 1.0])
def test_cut_off_file_is_refused_as_damaged(make: Callable[..., bytes], share: float) -> None:
    content = make(photo())
    cut = content[: min(int(len(content) * share), len(content) - 1)]
    with pytest.raises(UnreadableImage, match="damaged or cut off"):
        read_in_process(cut)


def test_cut_off_tiles_are_refused_as_damaged() -> None:
    content = heic(photo(600, 400), tile_size=256)
    with pytest.raises(UnreadableImage, match="damaged or cut off"):
        read_in_process(content[:-100])


def test_wide_photo_is_reduced() -> None:
    read = read_in_process(avif(photo(5000, 40)))
    assert (read.width, read.height) == (4096, 33)
    assert "from 5000 x 40 to 4096 x 33" in read.notes[0]


def test_isolated_reader_reads_them_too(make: Callable[..., bytes]) -> None:
    with IsolatedReader(1) as reader:
        assert difference(reader.read(make(photo())).pixels, photo()) < LOSS


@pytest.mark.parametrize("kind", MAKERS)
def test_missing_decoder_is_named_with_a_way_out(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = MAKERS[kind](photo())
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(features, "check", lambda _name: False)
    with pytest.raises(UnsupportedImage, match=f"can't read {kind} pictures") as refusal:
        read_in_process(content)
    assert "emotion doctor" in refusal.value.hint
