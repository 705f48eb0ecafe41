"""What the reader must do with any bytes, and images from which the search starts."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from core import InputError
from core.reading.limits import MAX_SIDE
from core.reading.reader import read_in_process
from tests.core.reading.media_files import avif, coded_item, deep_heic, grid, heic, media_file
from tests.core.reading.picture_files import (
    XMP_HEAD,
    animation,
    corners,
    exif,
    make_jpeg,
    make_profile,
    orientation_tag,
    photo,
    png,
    png_16_bit_rgb,
    png_chunk,
    raw_profile_text,
    run_length_bmp,
    save,
    tiff,
    webp_of_size,
    xmp,
)

MOST_SECONDS = 2.0
"""Of processor time, so that a busy computer makes no difference."""
MOST_SEED_BYTES = 200_000
"""The search is too slow with larger files."""
_LEAKS = re.compile(r"Traceback|site-packages|\.py\b|/(?:home|root|tmp|usr)/|0x[0-9a-f]{6}")


def check(data: bytes) -> bool:
    """Return whether the file could be read; raise AssertionError if a promise is broken."""
    started = time.process_time()
    image, texts = None, ("a message", "a next step")
    try:
        image = read_in_process(data)
    except InputError as error:
        texts = error.message, error.hint
    seconds = time.process_time() - started
    assert all(texts), "an error without a message or a next step"
    assert not _LEAKS.search(" ".join(texts)), texts
    assert image is None or max(image.width, image.height) <= MAX_SIDE, "larger than the limit"
    assert seconds < MOST_SECONDS, f"took {seconds:.1f} seconds"
    return image is not None


def generate_images() -> dict[str, bytes]:
    """Return a small valid file for each path through the reader, by name."""
    import numpy as np

    ramp = np.arange(24 * 16 * 3, dtype=np.uint16).reshape(16, 24, 3) * 50
    grey, colour = photo().convert("L"), photo()
    transparent = Image.merge("RGBA", (*photo().split(), grey))
    profile, turned = make_profile(), orientation_tag(6)
    files = {
        "baseline.jpg": save(colour, "JPEG"),
        "progressive.jpg": save(colour, "JPEG", progressive=True),
        "cmyk.jpg": save(colour.convert("CMYK"), "JPEG"),
        "turned.jpg": save(colour, "JPEG", exif=turned),
        "profile.jpg": save(colour, "JPEG", icc_profile=profile),
        "described.jpg": save(colour, "JPEG", exif=exif((270, (2, 5, b"words")))),
        "plain.png": save(colour, "PNG"),
        "palette.png": save(colour.convert("P"), "PNG", transparency=3),
        "alpha.png": save(transparent, "PNG"),
        "deep.png": png_16_bit_rgb(ramp),
        "one_bit.png": save(grey.convert("1"), "PNG"),
        "animated.png": animation("PNG"),
        "lossy.webp": save(colour, "WEBP"),
        "lossless.webp": save(transparent, "WEBP", lossless=True, exif=turned),
        "animated.webp": animation("WEBP"),
        "front.webp": webp_of_size(64, 48),
        "plain.bmp": save(corners(), "BMP"),
        "runs.bmp": run_length_bmp(8, 4, b"\x08\x01\0\0" * 4 + b"\0\x01"),
        "plain.gif": save(colour, "GIF"),
        "animated.gif": animation("GIF"),
        "raw.tif": tiff(corners().tobytes(), (24, 16)),
        "tiled.tif": tiff(bytes(16 * 16 * 3), (16, 16), tile_wh=(16, 16)),
        "float.tif": save(Image.fromarray(np.linspace(0, 1, 384).reshape(16, 24)), "TIFF"),
    }
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        files[f"{compression}.tif"] = save(colour, "TIFF", compression=compression)
    files["group4.tif"] = save(grey.convert("1"), "TIFF", compression="group4")
    files["ycbcr.tif"] = tiff(colour.convert("YCbCr").tobytes(), colour.size, photometric=6)
    files["no_end.jpg"] = files["progressive.jpg"][:-2]
    files["xmp.jpg"] = make_jpeg(files["baseline.jpg"], (0xE1, XMP_HEAD + xmp(6)))
    text = png_chunk(b"tEXt", raw_profile_text("exif", turned)) + png_chunk(b"zTXt", b"a\0\0junk")
    files["raw_profile.png"] = png(b"\0\0", (1, 1), depth=8, color=0, chunks=text)
    return files | _generate_media()


def _generate_media() -> dict[str, bytes]:
    """Return HEIC and AVIF files, small because each try decodes one."""
    import numpy as np

    small, grey = photo(48, 32), photo(48, 32).convert("L")
    clear = Image.merge("RGBA", (*small.split(), grey))
    deep = np.arange(48 * 32, dtype=np.uint16).reshape(32, 48) * 40
    tile, av1_tile = coded_item(heic(small)), coded_item(avif(photo(64, 64)))
    return {
        "plain.heic": heic(small, exif=orientation_tag(6)),
        "alpha.heic": heic(clear),
        "several.heic": heic(small, small),
        "deep.heic": deep_heic("L;16", deep),
        "grid.heic": media_file([grid(1, 2, (96, 32), [2, 2]), tile]),
        "plain.avif": avif(small, exif=orientation_tag(6)),
        "alpha.avif": avif(clear),
        "animated.avif": avif(small, save_all=True, append_images=[small]),
        "grid.avif": media_file([grid(1, 2, (128, 64), [2, 3]), av1_tile, av1_tile], brand=b"avif"),
    }


def read_corpus(shared: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the shared corpus that are small enough; none if it is missing."""
    file = shared / "image_intake" / "corpus.zip"
    if file.exists():
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if not entry.is_dir() and entry.file_size <= MOST_SEED_BYTES:
                    yield entry.filename.replace("/", "_"), archive.read(entry)
