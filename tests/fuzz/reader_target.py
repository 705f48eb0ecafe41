"""What the reader must do with any bytes at all, and pictures to begin the search with."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from core import InputError, read_image
from core.reading.limits import MAX_SIDE
from tests.core.reading.picture_files import (
    animation,
    corners,
    exif,
    orientation_tag,
    photo,
    png_16_bit_rgb,
    run_length_bmp,
    saved,
    swapped_profile,
    tiff,
    webp_of_size,
)

MOST_SECONDS = 2.0
"""Of processor time, so that a busy computer does not count."""
MOST_SEED_BYTES = 200_000
"""Larger ones are searched too slowly."""
_TOLD_TOO_MUCH = re.compile(r"Traceback|site-packages|\.py\b|/(?:home|root|tmp|usr)/|0x[0-9a-f]{6}")


def check(data: bytes) -> bool:
    """Whether the picture was read; AssertionError, or any other, where a promise is broken."""
    started = time.process_time()
    image, told = None, ("a message", "a next step")
    try:
        image = read_image(data)
    except InputError as refusal:
        told = refusal.message, refusal.hint
    taken = time.process_time() - started
    assert all(told), "a refusal without a message or a next step"
    assert not _TOLD_TOO_MUCH.search(" ".join(told)), told
    assert image is None or max(image.width, image.height) <= MAX_SIDE, "larger than is promised"
    assert taken < MOST_SECONDS, f"took {taken:.1f} seconds"
    return image is not None


def generated() -> dict[str, bytes]:
    """A small valid picture of each kind that the reader takes another way with."""
    import numpy as np

    ramp = np.arange(24 * 16 * 3, dtype=np.uint16).reshape(16, 24, 3) * 50
    grey, colour = photo().convert("L"), photo()
    transparent = Image.merge("RGBA", (*photo().split(), grey))
    profile, turned = swapped_profile(), orientation_tag(6)
    made = {
        "baseline.jpg": saved(colour, "JPEG"),
        "progressive.jpg": saved(colour, "JPEG", progressive=True),
        "cmyk.jpg": saved(colour.convert("CMYK"), "JPEG"),
        "turned.jpg": saved(colour, "JPEG", exif=turned),
        "profile.jpg": saved(colour, "JPEG", icc_profile=profile),
        "described.jpg": saved(colour, "JPEG", exif=exif((270, (2, 5, b"words")))),
        "plain.png": saved(colour, "PNG"),
        "palette.png": saved(colour.convert("P"), "PNG", transparency=3),
        "alpha.png": saved(transparent, "PNG"),
        "deep.png": png_16_bit_rgb(ramp),
        "one_bit.png": saved(grey.convert("1"), "PNG"),
        "animated.png": animation("PNG"),
        "lossy.webp": saved(colour, "WEBP"),
        "lossless.webp": saved(transparent, "WEBP", lossless=True, exif=turned),
        "animated.webp": animation("WEBP"),
        "front.webp": webp_of_size(64, 48),
        "plain.bmp": saved(corners(), "BMP"),
        "runs.bmp": run_length_bmp(8, 4, b"\x08\x01\0\0" * 4 + b"\0\x01"),
        "plain.gif": saved(colour, "GIF"),
        "animated.gif": animation("GIF"),
        "raw.tif": tiff(corners().tobytes(), (24, 16)),
        "tiled.tif": tiff(bytes(16 * 16 * 3), (16, 16), tile_wh=(16, 16)),
        "float.tif": saved(Image.fromarray(np.linspace(0, 1, 384).reshape(16, 24)), "TIFF"),
    }
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        made[f"{compression}.tif"] = saved(colour, "TIFF", compression=compression)
    made["group4.tif"] = saved(grey.convert("1"), "TIFF", compression="group4")
    return made


def corpus(shared: Path) -> Iterator[tuple[str, bytes]]:
    """The files of the shared corpus that are small enough; none where it is absent."""
    file = shared / "image_intake" / "corpus.zip"
    if file.exists():
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if not entry.is_dir() and entry.file_size <= MOST_SEED_BYTES:
                    yield entry.filename.replace("/", "_"), archive.read(entry)
