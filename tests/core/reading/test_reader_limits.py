"""Size limits, files built to exhaust, and what reading costs in memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import ImageTooLarge, InputError
from core.reading import limits, reader
from core.reading.formats import Format
from core.reading.reader import read_in_process
from core.reading.screening import screen
from tests.core.reading.media_files import MEDIA_BOMBS, avif, heic
from tests.core.reading.picture_files import (
    BYTE,
    LONG,
    bmp_of_size,
    corners,
    gif_of_size,
    jpeg_of_size,
    make_jpeg,
    orientation_tag,
    overlapping_tags,
    photo,
    png,
    png_chunk,
    run_length_bmp,
    save,
    tiff,
    webp_of_size,
)

MEMORY_OF_A_REFUSAL = 30e6
"""Bytes; besides the file itself."""


@pytest.mark.parametrize("over", [1, 1000, 50_000, 2_000_000])
def test_size_over_the_limit_is_never_said_to_be_the_limit(over):
    with pytest.raises(ImageTooLarge) as error:
        limits.check_bytes(limits.MAX_FILE_BYTES + over)
    size, limit = re.findall(r"([\d.]+) MB", error.value.message)
    assert float(size) > float(limit)
    with pytest.raises(ImageTooLarge) as error:
        limits.check_pixels(5000, limits.MAX_PIXELS // 5000 + 1 + over // 5000)
    size, limit = re.findall(r"([\d.]+) megapixels", error.value.message)
    assert float(size) > float(limit)


def _many_scans() -> bytes:
    """A progressive JPEG of 49 megapixels that goes over its pixels a hundred times more."""
    jpeg = save(Image.new("L", (7000, 7000)), "JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * 100 + jpeg[-2:]


def _exif_of_many_segments() -> bytes:
    block = overlapping_tags(4000, 100_000)
    parts = [block[place : place + 60_000] for place in range(0, len(block), 60_000)]
    plain = save(corners(), "JPEG")
    return make_jpeg(plain, *((0xE1, b"Exif\0\0" + part) for part in parts))


def _commented_gif(front: bytes = b"") -> bytes:
    gif = save(corners(), "GIF")
    place = gif.index(b"\x2c\0\0\0\0")
    comment = b"\x21\xfe" + (b"\xff" + bytes(255)) * 20_000 + b"\0"
    return gif[:place] + front + comment + gif[place:]


def _overlapping_tiff() -> bytes:
    honest = np.zeros((16, 24, 3), np.uint8).tobytes() + bytes(200_000)
    many = {1000 + k: (BYTE, 150_000, bytes(1)) for k in range(300)}
    content = bytearray(tiff(honest, (24, 16), extra=many))
    # All of these tags lie over the strip, instead of each at its own place.
    for position in range(10, 10 + 12 * 310, 12):
        if int.from_bytes(content[position : position + 2], "little") >= 1000:
            content[position + 8 : position + 12] = (5000).to_bytes(4, "little")
    return bytes(content)


def _overlapping_sub_directory() -> bytes:
    inner = overlapping_tags(300, 150_000)[8:]
    raw = np.asarray(corners()).tobytes()
    start = len(tiff(raw, (24, 16), extra={34665: (LONG, 1, 0)}))
    return tiff(raw, (24, 16), extra={34665: (LONG, 1, start)}) + inner


BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG of 900 megapixels": lambda: png(b"", (30_000, 30_000), depth=8, color=2),
    "PNG just over the limit": lambda: png(b"", (10_000, 5_001), depth=1, color=0),
    "JPEG of 4 gigapixels": lambda: jpeg_of_size(65_000, 65_000),
    "GIF of 4 gigapixels": lambda: gif_of_size(65_535, 65_535),
    "BMP of 900 megapixels": lambda: bmp_of_size(30_000, 30_000),
    "TIFF of 900 megapixels": lambda: tiff(bytes(100), (30_000, 30_000)),
    "WebP with a canvas of 256 megapixels": lambda: webp_of_size(16_000, 16_000),
    "lossy WebP of 256 megapixels": lambda: webp_of_size(16_000, 16_000, b"VP8 "),
    "lossless WebP of 256 megapixels": lambda: webp_of_size(16_000, 16_000, b"VP8L"),
    "TIFF with a tile of 1.5 GB": lambda: tiff(
        zlib.compress(bytes(1000)), (16, 16), compression=8, tile_wh=(32_768, 16_384)
    ),
    "TIFF whose tags overlap": _overlapping_tiff,
    "TIFF whose EXIF tags overlap": _overlapping_sub_directory,
    "TIFF with a million strips": lambda: tiff(
        b"\0" * 100, (24, 16), extra={273: (LONG, 1_000_000, bytes(4_000_000))}
    ),
    "JPEG whose EXIF tags overlap": _exif_of_many_segments,
    "JPEG of a hundred scans": _many_scans,
    "JPEG padded with 2 MB": lambda: b"\xff\xd8" + b"\xff" * 2_000_000 + jpeg_of_size(8, 8)[2:],
    "JPEG of 100,000 comments": lambda: make_jpeg(
        save(corners(), "JPEG"), *[(0xFE, b"")] * 100_000
    ),
    "PNG of 100,000 chunks": lambda: png(
        b"\0\0", (1, 1), depth=8, color=0, chunks=png_chunk(b"abCd", b"") * 100_000
    ),
    "GIF with a comment of 5 MB": _commented_gif,
    "GIF with stray bytes and a comment of 5 MB": lambda: _commented_gif(b"\0\x01"),
    "run-length BMP of one wide row": lambda: run_length_bmp(1_000_000, 3, b"\0\x02\0\xff" * 3),
    "run-length BMP of 25 megapixels": lambda: run_length_bmp(5000, 5000, b"\xff\x01" * 100),
    **MEDIA_BOMBS,
}

MEASURE = """
import json, sys
from pathlib import Path
from core.errors import ImageTooLarge
from core.reading.reader import read_in_process

def peak():
    return [int(line.split()[1]) * 1024 for line in open("/proc/self/status") if "VmHWM" in line][0]

folder = Path(sys.argv[1])
for warm in sorted(folder.glob("warm.*")):
    read_in_process(warm.read_bytes())
grown = {}
for path in sorted(folder.glob("bomb.*")):
    content = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    try:
        read_in_process(content)
        grown[path.name] = "was read"
    except ImageTooLarge:
        grown[path.name] = peak() - before
print(json.dumps(grown))
"""


@pytest.mark.parametrize("what", BOMBS)
def test_bomb_is_refused_as_too_large(what: str) -> None:
    with pytest.raises(ImageTooLarge) as refusal:
        read_in_process(BOMBS[what]())
    assert refusal.value.hint


@pytest.mark.parametrize("what", BOMBS)
def test_bomb_is_refused_without_allocating_in_python(what: str) -> None:
    content = BOMBS[what]()
    tracemalloc.start()
    try:
        with pytest.raises(ImageTooLarge):
            read_in_process(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_OF_A_REFUSAL


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_no_bomb_increases_the_memory_of_the_process(tmp_path: Path, root: Path) -> None:
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"):
        (tmp_path / f"warm.{kind}").write_bytes(save(corners(), kind))
    (tmp_path / "warm.heic").write_bytes(heic(corners()))
    (tmp_path / "warm.avif").write_bytes(avif(corners()))
    names = {f"bomb.{number:02}": what for number, what in enumerate(BOMBS)}
    for name, what in names.items():
        (tmp_path / name).write_bytes(BOMBS[what]())
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    grown = {names[name]: growth for name, growth in json.loads(run.stdout).items()}
    assert set(grown) == set(BOMBS)
    assert {what: g for what, g in grown.items() if not g < MEMORY_OF_A_REFUSAL} == {}


def test_honest_files_like_the_bombs_are_read() -> None:
    tiled = tiff(zlib.compress(bytes(64 * 64 * 3)), (16, 16), compression=8, tile_wh=(64, 64))
    commented = save(corners(), "GIF", comment=b"x" * 60_000)
    runs = run_length_bmp(8, 2, b"\x08\x20\0\0\x08\x40\0\1")
    assert read_in_process(tiled).width == 16
    assert read_in_process(commented).width == 24
    assert read_in_process(runs).pixels[:, 0].tolist() == [[64, 0, 0], [32, 0, 0]]
    many = save(corners(), "JPEG", progressive=True)
    last = many.rindex(b"\xff\xda")
    assert read_in_process(many[:-2] + many[last:-2] * 100 + many[-2:]).width == 24


def test_phone_jpeg_with_scan_marks_in_its_metadata_is_read() -> None:
    content = make_jpeg(save(photo(1200, 900), "JPEG"), (0xE1, b"\xff\xda" * 3000))
    assert read_in_process(content).width == 1200


def test_file_over_50_mb_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(save(corners(), "JPEG"))
    with path.open("r+b") as file:
        file.truncate(limits.MAX_FILE_BYTES + 1)  # a hole: takes no room on disk
    monkeypatch.setattr(reader.os, "open", lambda *_: pytest.fail("the file was opened"))
    with pytest.raises(ImageTooLarge, match="50 MB"):
        read_in_process(path)


def test_file_of_just_50_mb_is_read_and_one_byte_more_is_not() -> None:
    content = save(corners(), "JPEG")
    padded = content + bytes(limits.MAX_FILE_BYTES - len(content))
    assert read_in_process(padded).width == 24
    with pytest.raises(ImageTooLarge, match="50 MB"):
        read_in_process(padded + b"\0")


def test_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing.jpg"
    path.write_bytes(save(corners(), "JPEG") + bytes(limits.MAX_FILE_BYTES))
    small = (tmp_path / "small.jpg").write_bytes(b"x") and (tmp_path / "small.jpg").stat()
    monkeypatch.setattr(Path, "stat", lambda self, **options: small)
    monkeypatch.setattr(reader.os, "fstat", lambda _descriptor: small)
    with pytest.raises(ImageTooLarge):
        read_in_process(path)


@pytest.mark.parametrize("kind", [b"VP8X", b"VP8L", b"VP8 "])
def test_size_of_a_webp_is_checked_before_its_canvas_is_allocated(kind: bytes) -> None:
    with pytest.raises(ImageTooLarge, match="5200 x 5000"):
        screen(webp_of_size(5200, 5000, kind), Format.WEBP)
    screen(webp_of_size(5000, 5000, kind), Format.WEBP)


def test_picture_of_just_50_megapixels_is_not_refused_for_its_size() -> None:
    with pytest.raises(InputError) as refusal:
        read_in_process(png(b"", (10_000, 5_000), depth=1, color=0))
    assert not isinstance(refusal.value, ImageTooLarge)


def test_webp_of_more_than_25_megapixels_is_refused_and_a_jpeg_is_not() -> None:
    picture = Image.new("L", (5200, 5000))
    with pytest.raises(ImageTooLarge, match="25 megapixels"):
        read_in_process(save(picture, "WEBP", method=0))
    assert read_in_process(save(picture, "JPEG")).width <= limits.MAX_SIDE


@pytest.mark.parametrize("host_limit", [None, 1000])
def test_limit_set_in_pillow_has_no_effect(
    host_limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", host_limit)
    with pytest.raises(ImageTooLarge):
        read_in_process(BOMBS["PNG of 900 megapixels"]())
    if host_limit:
        with pytest.raises(ImageTooLarge, match="too large"):
            read_in_process(save(corners(60, 60), "PNG"))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_50_megapixel_jpeg_needs_far_less_memory_than_its_pixels(
    tmp_path: Path, root: Path
) -> None:
    (tmp_path / "warm.jpg").write_bytes(save(corners(), "JPEG"))
    photo_bytes = save(photo().resize((8160, 6120)), "JPEG", exif=orientation_tag(6))
    (tmp_path / "bomb.jpg").write_bytes(photo_bytes)
    measure = MEASURE.replace('"was read"', "peak() - before")
    run = subprocess.run(
        [sys.executable, "-c", measure, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    # Decoded picture 50 MB, result 37 MB; plain Pillow takes 595.
    assert json.loads(run.stdout)["bomb.jpg"] < 120e6


def test_eight_threads_get_the_right_answers_and_only_two_decode_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside, most, lock = [0], [0], threading.Lock()
    open_image = Image.open

    def count_decodes(*args: object, **options: object) -> Image.Image:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        try:
            pause.wait(0.002)
            return open_image(*args, **options)  # type: ignore[arg-type]
        finally:
            with lock:
                inside[0] -= 1

    pause = threading.Event()
    monkeypatch.setattr(Image, "open", count_decodes)
    kinds = ["PNG", "TIFF", "GIF", "BMP"]
    files = [save(Image.new("RGB", (40 + n, 30), (n, n, n)), kinds[n % 4]) for n in range(8)]
    cut = [content[: len(content) // 2] for content in files]
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(15):
            read = read_in_process(files[number])
            if read.width != 40 + number or (read.pixels != number).any():
                wrong.append((number, read))
            with pytest.raises(InputError):
                read_in_process(cut[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert most[0] == limits.CONCURRENT_DECODES
