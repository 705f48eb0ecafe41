"""Measure what the largest pictures cost: `python -m tests.benchmarks.picture_costs`, on Linux.

Every format at the reader's limits (50 megapixels, WebP 25, 50 MB), as a camera or an editor writes
it. Each is read by a process of its own, which has read a small picture before. Writes
docs/results/picture_costs.json and the table in docs/reliability.md. Takes ten minutes, nearly all
of them for making the pictures.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from core.reading.reader import read_in_process
from tests.core.reading.media_files import coded_item, grid, heic, media_file
from training.evaluation.speed import describe_machine

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results" / "picture_costs.json"
PAGE = ROOT / "docs" / "reliability.md"
START, END = "<!-- picture costs -->\n", "<!-- /picture costs -->"
_12_MP, _25_MP, _50_MP = (4032, 3024), (5000, 5000), (8660, 5773)


def make_picture(size_wh: tuple[int, int], mode: str, noise: int) -> Image.Image:
    """Return a portrait with so much noise in every pixel, as a sensor gives."""
    small = Image.open(ROOT / "frontends" / "astronaut.png").convert("RGB")
    picture = np.array(small.resize(size_wh, Image.Resampling.BILINEAR))
    random = np.random.default_rng(0)
    for top in range(0, len(picture), 256):  # all at once would need gigabytes
        part = picture[top : top + 256]
        shift = random.integers(-noise, noise + 1, part.shape, np.int16)
        picture[top : top + 256] = (part + shift).clip(0, 255)
    return Image.fromarray(picture).convert(mode)


def write_picture(
    file: Path, kind: str, size_wh: tuple[int, int], mode: str = "RGB", noise: int = 6, **how: Any
) -> None:
    """Write such a picture in the format ``kind``."""
    picture = make_picture(size_wh, mode, noise)
    if kind == "GIF":
        picture = picture.quantize(256)
    picture.save(file, kind, **how)


def write_tiled_heic(file: Path, columns: int, rows: int, tile_px: int) -> None:
    """Write a HEIC picture of tiles, as phones do; encoders for computers write one piece."""
    whole = make_picture((columns * tile_px, rows * tile_px), "RGB", 6)
    corners = [(x * tile_px, y * tile_px) for y in range(rows) for x in range(columns)]
    tiles = [
        coded_item(heic(whole.crop((x, y, x + tile_px, y + tile_px)), quality=80))
        for x, y in corners
    ]
    parts = list(range(2, len(tiles) + 2))
    file.write_bytes(media_file([grid(rows, columns, whole.size, parts), *tiles]))


PICTURES: dict[str, Callable[[Path], None]] = {
    "JPEG, 50 megapixels, progressive": partial(
        write_picture, kind="JPEG", size_wh=_50_MP, quality=90, progressive=True
    ),
    "JPEG, 25 megapixels, progressive": partial(
        write_picture, kind="JPEG", size_wh=_25_MP, quality=92, subsampling=0, progressive=True
    ),
    "PNG, 50 megapixels, grey": partial(
        write_picture, kind="PNG", size_wh=_50_MP, mode="L", noise=3, compress_level=1
    ),
    "PNG, 25 megapixels, transparent": partial(
        write_picture, kind="PNG", size_wh=_25_MP, mode="RGBA", noise=1, compress_level=1
    ),
    "WebP, 25 megapixels": partial(
        write_picture, kind="WEBP", size_wh=_25_MP, quality=90, method=0
    ),
    "WebP, 25 megapixels, lossless": partial(
        write_picture, kind="WEBP", size_wh=_25_MP, noise=2, lossless=True, quality=20, method=1
    ),
    "GIF, 50 megapixels": partial(write_picture, kind="GIF", size_wh=_50_MP, noise=0),
    "TIFF with JPEG, 50 megapixels": partial(
        write_picture, kind="TIFF", size_wh=_50_MP, compression="jpeg", quality=85
    ),
    "HEIC, 12 megapixels": partial(write_picture, kind="HEIF", size_wh=_12_MP, quality=80),
    "HEIC, 48 megapixels in tiles": partial(write_tiled_heic, columns=4, rows=3, tile_px=2000),
    "AVIF, 12 megapixels": partial(
        write_picture, kind="AVIF", size_wh=_12_MP, quality=80, speed=10
    ),
    "AVIF, 50 megapixels": partial(
        write_picture, kind="AVIF", size_wh=_50_MP, quality=80, speed=10
    ),
}


def read_once(file: Path) -> dict[str, float]:
    """Return the processor time in seconds and the memory in MB of reading ``file`` here."""
    small = io.BytesIO()
    Image.new("RGB", (10, 10)).save(small, "PNG")
    read_in_process(small.getvalue())
    content = file.read_bytes()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # restarts the peak
    before, started = _read_peak(), time.process_time()
    read_in_process(content)
    seconds = time.process_time() - started
    return {
        "processor_s": round(seconds, 2),
        "memory_mb": round((_read_peak() - before) / 1024),
        "file_mb": round(len(content) / 1e6, 1),
    }


def _read_peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    [peak] = [line for line in lines if line.startswith("VmHWM")]
    return int(peak.split()[1])


def format_table(costs: dict[str, dict[str, float]]) -> str:
    """Return the table of docs/reliability.md."""
    lines = ["| picture | file, MB | processor time, s | memory, MB |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {each['file_mb']:.1f} | {each['processor_s']:.1f} | {each['memory_mb']:.0f} |"
        for name, each in costs.items()
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure all pictures, or the file that is named."""
    if sys.argv[1:]:
        sys.stdout.write(json.dumps(read_once(Path(sys.argv[1]))))
        return
    pillow_heif.register_heif_opener()
    costs = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, write in PICTURES.items():
            file = Path(folder, "picture")
            write(file)
            command = [sys.executable, "-m", "tests.benchmarks.picture_costs", str(file)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
            costs[name] = json.loads(done.stdout)
            sys.stderr.write(f"{name}: {costs[name]}\n")
    result = {"machine": describe_machine(), "pictures": costs}
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(START)
    _, tail = rest.split(END)
    PAGE.write_text(head + START + format_table(costs) + END + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
