"""Other and broken files always raise an InputError that names what was found."""

from __future__ import annotations

import io
import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import InputError, UnreadableImage, UnsupportedImage
from core.reading.reader import read_in_process
from tests.core.reading.picture_files import (
    SHORT,
    animation,
    corners,
    make_profile,
    orientation_tag,
    photo,
    png_16_bit_rgb,
    save,
    tiff,
)

UNSUPPORTED = {
    "MP4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
    "QuickTime": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "Canon camera raw": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "SVG": b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg xmlns='http://www.w3.org/2000/svg'/>",
    "SVG drawing": b"\xef\xbb\xbf  <SVG width='10'/>",
    "PSD": b"8BPS\0\x01" + bytes(40),
    "XBM": b"#define im_width 8\n#define im_height 8\nstatic char im_bits[] = {0};\n",
    "XPM": b"/* XPM */\nstatic char *a[] = {",
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20),
    "JPEG 2000 picture": b"\xff\x4f\xff\x51" + bytes(20),
    "JPEG XL": b"\xff\x0a" + bytes(20),
    "ICO": b"\0\0\1\0\1\0" + bytes(30),
    "PDF": b"%PDF-1.7\n",
    "PNM": b"P6\n1 1\n255\n\0\0\0",
    "TGA": bytes(30) + b"TRUEVISION-XFILE.\0",
    "SGI": b"\x01\xda\x01\x01",
    "PCX": b"\x0a\x05\x01\x08" + bytes(200),
    "WebM": b"\x1aE\xdf\xa3" + bytes(30),
    "AVI": b"RIFF\x20\0\0\0AVI LIST" + bytes(20),
    "DICOM": bytes(128) + b"DICM",
}
NO_PICTURE = {
    "ZIP": b"PK\x03\x04" + bytes(30),
    "gzip": b"\x1f\x8b\x08" + bytes(10),
    "MP3": b"ID3\x04" + bytes(20),
    "WAV": b"RIFF\x20\0\0\0WAVEfmt ",
    "web page": b"\n<!DOCTYPE html><html><body>404</body></html>",
    "XML": b"<?xml version='1.0'?><a/>",
    "text": "Grüße, nothing to see here\n".encode() * 300,
    "program": b"\x7fELF\x02\x01\x01",
    "RTF": b"{\\rtf1 hello}",
}


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_refusal_names_the_format_of_other_pictures(what: str) -> None:
    with pytest.raises(UnsupportedImage) as refusal:
        read_in_process(UNSUPPORTED[what])
    assert what.split(" of ", maxsplit=1)[0] in refusal.value.message
    assert "JPEG" in refusal.value.hint


@pytest.mark.parametrize("what", NO_PICTURE)
def test_refusal_names_the_kind_of_files_that_are_not_pictures(what: str) -> None:
    with pytest.raises(UnreadableImage, match=f"{what}.*not a picture") as refusal:
        read_in_process(NO_PICTURE[what])
    assert refusal.value.hint


@pytest.mark.parametrize("kind", ["ICO", "PPM", "TGA", "PCX", "SGI", "EPS", "PDF"])
def test_other_formats_that_pillow_could_open_are_refused(kind: str) -> None:
    with pytest.raises(UnsupportedImage):
        read_in_process(save(photo(32, 32), kind))


def test_pillow_may_open_only_the_format_that_was_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allowed_formats: list[object] = []
    open_image = Image.open

    def record(*args: Any, **options: Any) -> Image.Image:
        allowed_formats.append(options["formats"])
        return open_image(*args, **options)

    monkeypatch.setattr(Image, "open", record)
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"):
        read_in_process(save(corners(), kind))
    assert allowed_formats == [("PNG",), ("JPEG",), ("WEBP",), ("BMP",), ("GIF",), ("TIFF",)]


def test_office_document_with_a_picture_inside_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/media/image1.png", save(corners(), "PNG"))
    with pytest.raises(UnreadableImage, match="office document"):
        read_in_process(file.getvalue())


def test_camera_raw_is_refused_although_its_thumbnail_could_be_read() -> None:
    raw = np.asarray(corners()).tobytes()
    dng = tiff(raw, (24, 16), extra={50706: (1, 4, 0x0401)})
    nikon = tiff(raw, (24, 16), extra={254: (4, 1, 1), 330: (4, 1, 8)})
    canon = b"II*\0\x10\0\0\0CR\x02\0" + bytes(40)
    for content in (dng, nikon, canon):
        with pytest.raises(UnsupportedImage, match="camera raw"):
            read_in_process(content)


@pytest.mark.parametrize(
    "content",
    [bytes(1000), os.urandom(64).replace(b"<", b"\0") + bytes(8), b"\xff", b"GIF8"],
    ids=["zeros", "random", "one byte", "start of a GIF"],
)
def test_unknown_content_is_refused(content: bytes) -> None:
    with pytest.raises(InputError) as refusal:
        read_in_process(b"\x9b" + content if content[0] else content)
    assert refusal.value.message
    assert refusal.value.hint


def test_empty_file_is_called_empty() -> None:
    with pytest.raises(UnreadableImage, match="empty"):
        read_in_process(b"")


def _small_files() -> dict[str, bytes]:
    picture = photo(40, 28)
    deep = np.asarray(picture).astype(np.uint16) * 257
    return {
        "JPEG": save(picture, "JPEG", exif=orientation_tag(6), icc_profile=make_profile()),
        "progressive JPEG": save(picture, "JPEG", progressive=True),
        "CMYK JPEG": save(picture.convert("CMYK"), "JPEG"),
        "MPO": save(picture, "MPO", save_all=True, append_images=[picture]),
        "PNG": save(picture, "PNG", exif=orientation_tag(8)),
        "16-bit PNG": png_16_bit_rgb(deep),
        "palette PNG": save(picture.quantize(16), "PNG", transparency=3),
        "animated PNG": animation("PNG"),
        "lossy WebP": save(picture, "WEBP", exif=orientation_tag(3)),
        "lossless WebP": save(picture, "WEBP", lossless=True),
        "animated WebP": animation("WEBP"),
        "BMP": save(picture, "BMP"),
        "palette BMP": save(picture.quantize(16), "BMP"),
        "GIF": save(picture, "GIF"),
        "animated GIF": animation("GIF"),
        "TIFF": save(picture, "TIFF"),
        "LZW TIFF": save(picture, "TIFF", compression="tiff_lzw"),
        "JPEG TIFF": save(picture, "TIFF", compression="jpeg"),
        "deflate TIFF": save(picture.convert("CMYK"), "TIFF", compression="tiff_adobe_deflate"),
        "float TIFF": save(picture.convert("F"), "TIFF"),
        "fax TIFF": save(picture.convert("1"), "TIFF", compression="group4"),
        "many pages": animation("TIFF"),
    }


FILES = _small_files()


def _read_or_refuse(content: bytes) -> bool:
    """Return whether it was read; anything but an InputError with a message fails the test."""
    try:
        return read_in_process(content).pixels.ndim == 3
    except InputError as refusal:
        assert refusal.message, "a refusal without words"  # noqa: PT017
        assert refusal.hint, "a refusal without help"  # noqa: PT017
        return False


@pytest.mark.parametrize("what", FILES)
def test_file_cut_off_anywhere_is_read_or_refused(what: str) -> None:
    content = FILES[what]
    step = max(1, len(content) // 150)
    assert _read_or_refuse(content)
    outcomes = [_read_or_refuse(content[:end]) for end in range(0, len(content), step)]
    assert not all(outcomes)


@pytest.mark.parametrize("what", ["JPEG", "progressive JPEG", "PNG", "lossy WebP", "BMP", "GIF"])
def test_picture_cut_off_in_the_middle_is_called_damaged(what: str) -> None:
    content = FILES[what]
    with pytest.raises(UnreadableImage, match="damaged or cut off") as refusal:
        read_in_process(content[: len(content) * 2 // 3])
    assert refusal.value.__cause__ is not None


def test_damaged_picture_is_refused_each_time_it_is_read() -> None:
    content = FILES["JPEG"][: len(FILES["JPEG"]) * 2 // 3]
    for _ in range(3):
        with pytest.raises(UnreadableImage):
            read_in_process(content)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    what=st.sampled_from(sorted(FILES)),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    ),
    several_at=st.sampled_from([1, 4, 16]),
)
def test_random_damage_is_read_or_refused(
    what: str, changes: list[tuple[float, int]], several_at: int
) -> None:
    content = bytearray(FILES[what])
    # Headers decide more than pixels do, so two changes of three go there.
    for number, (place, value) in enumerate(changes):
        reach = len(content) if number % 3 == 2 else min(len(content), 400)
        start = int(place * reach)
        content[start : start + several_at] = bytes([value]) * several_at
        del content[len(FILES[what]) :]
    _read_or_refuse(bytes(content))


def test_random_bytes_after_every_mark_are_read_or_refused() -> None:
    random = np.random.default_rng(7)
    for content in FILES.values():
        for kept in (4, 12, 30):
            _read_or_refuse(content[:kept] + random.bytes(300))


def test_absurd_tags_of_a_tiff_are_refused() -> None:
    raw = bytes(24 * 16 * 3)
    for number in (256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 322, 338, 339):
        for value in ((SHORT, 1, 0), (SHORT, 1, 65535), (2, 9, b"absurdly\0"), (5, 1, bytes(8))):
            _read_or_refuse(tiff(raw, (24, 16), extra={number: value}))


def test_missing_file_is_reported_as_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.jpg", tmp_path / "absent" / "a.jpg"):
        with pytest.raises(UnreadableImage, match="no such file"):
            read_in_process(path)


def test_path_through_a_file_is_reported_as_missing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(UnreadableImage, match="no such file"):
        read_in_process(tmp_path / "a.jpg" / "b.jpg")


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="a folder"):
        read_in_process(tmp_path)


def test_empty_file_on_disk_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    with pytest.raises(UnreadableImage, match="empty"):
        read_in_process(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_is_refused_without_waiting_for_its_other_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    with pytest.raises(UnreadableImage, match="a pipe"):
        read_in_process(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_file_replaced_by_a_pipe_at_the_last_moment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(save(corners(), "JPEG"))
    honest = path.stat()
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(Path, "stat", lambda self, **options: honest)
    with pytest.raises(UnreadableImage, match="a pipe"):
        read_in_process(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_device_is_refused() -> None:
    with pytest.raises(UnreadableImage, match="a device"):
        read_in_process(Path("/dev/zero"))


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.jpg")
        with pytest.raises(UnreadableImage, match="a socket"):
            read_in_process(Path("a.jpg"))


def test_file_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "private.jpg"
    path.write_bytes(save(corners(), "JPEG"))
    path.chmod(0)
    if os.access(path, os.R_OK):  # an administrator may read everything
        monkeypatch.setattr(os, "open", _deny_access)
    with pytest.raises(UnreadableImage, match="no permission to read"):
        read_in_process(path)


def _deny_access(*_args: object) -> int:
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("name", ["zero\0byte.jpg", "x" * 5000])
def test_invalid_path_is_refused(name: str) -> None:
    with pytest.raises(UnreadableImage, match="cannot be read"):
        read_in_process(Path(name))


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: folder / "absent-secret.jpg",
        lambda folder: folder,
        lambda folder: Path("x" * 5000 + "secret"),
    ],
)
def test_no_refusal_contains_a_path(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    folder = tmp_path / "secret"
    folder.mkdir()
    with pytest.raises(InputError) as refusal:
        read_in_process(make(folder))
    assert "secret" not in refusal.value.message + refusal.value.hint


def test_link_to_a_picture_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(save(corners(), "PNG"))
    link = tmp_path / "b.png"
    try:
        link.symlink_to(tmp_path / "a.png")
    except OSError:
        pytest.skip("this system does not allow symbolic links")
    assert read_in_process(link).name == "b.png"


def test_out_of_memory_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust_memory(*_args: object, **_options: object) -> Image.Image:
        raise MemoryError

    monkeypatch.setattr(Image, "open", exhaust_memory)
    with pytest.raises(InputError, match="too large"):
        read_in_process(FILES["PNG"])
