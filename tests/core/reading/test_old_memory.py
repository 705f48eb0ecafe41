"""No picture shows what the decoder's memory held before, which may be another visitor's photo."""

from __future__ import annotations

import base64
import io
import json
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.core.reading.picture_files import save, tiff
from tests.fuzz.reader_target import generate_images

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc fills new memory with a chosen value"
)

PROGRAM = """
import base64, hashlib, json, sys
from core.errors import InputError
from core.reading.decoding import decode
from core.reading.formats import identify

def read(data):
    try:
        pixels, _ = decode(data, identify(data))
    except InputError as error:
        return error.message
    return hashlib.sha256(pixels.tobytes()).hexdigest()

pictures = json.load(sys.stdin)
print(json.dumps({name: read(base64.b64decode(each)) for name, each in pictures.items()}))
"""
JPEG_IN_TIFF = tiff(
    save(Image.new("L", (1000, 8)), "JPEG"), (1000, 1500), channels=1, compression=7, photometric=1
)
"""A strip of 1500 rows, of which the JPEG inside has eight."""


def read_in_memory_full_of(value: int, pictures: dict[str, bytes], root: Path) -> dict[str, str]:
    """Read ``pictures`` in a process whose new memory is filled with one value."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=root,
        env={**os.environ, "MALLOC_PERTURB_": str(value)},
        input=json.dumps(
            {name: base64.b64encode(each).decode() for name, each in pictures.items()}
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def make_incomplete_pictures() -> dict[str, bytes]:
    """Return pictures that say little or nothing about most of their pixels."""
    noise = Image.effect_noise((200, 200), 50)
    progressive = save(noise.convert("RGB"), "JPEG", progressive=True)
    scans = [place for place in range(len(progressive)) if progressive[place:][:2] == b"\xff\xda"]
    pictures = {
        f"JPEG, {count} scans": progressive[:end] + b"\xff\xd9" for count, end in enumerate(scans)
    }
    gif = bytearray(save(Image.new("P", (20, 20), 3), "GIF"))
    gif[6:10] = struct.pack("<HH", 500, 400)
    pictures["GIF, small frame"] = bytes(gif)
    frames = [Image.new("RGBA", (20, 20), (shade, 9, 9, 255)) for shade in (9, 99)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    webp = bytearray(file.getvalue())
    size = webp.index(b"VP8X") + 12
    webp[size : size + 6] = struct.pack("<I", 399)[:3] * 2
    pictures["WebP, small frame"] = bytes(webp)
    return pictures


def test_pixels_do_not_depend_on_what_the_memory_held(root: Path) -> None:
    pictures = {**generate_images(), **make_incomplete_pictures()}
    found = read_in_memory_full_of(170, pictures, root)
    assert found == read_in_memory_full_of(85, pictures, root)
    assert len(set(found.values())) > len(pictures) / 3  # most of them are read


def test_the_check_notices_old_memory(root: Path) -> None:
    """Pillow below 13 shows it, so such a file gets a decoder process of its own."""
    pictures = {"TIFF": JPEG_IN_TIFF}
    assert read_in_memory_full_of(170, pictures, root) != read_in_memory_full_of(85, pictures, root)
