"""Run `emotion batch` on many files and watch its processes: `python -m tests.soak`.

Ten thousand files, three in ten damaged, are links to a few images. Memory, file descriptors and
temporary files of all processes are watched until the run ends. Needs Linux.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
WARM_UP = 0.25
"""Share of the files during which memory may grow, while caches fill and allocators settle."""


def make_files() -> tuple[list[bytes], list[bytes]]:
    """Return the contents of a few good and a few damaged files."""
    from skimage import data

    astronaut = Image.fromarray(data.astronaut())
    pair = Image.new("RGB", (640, 320), (90, 110, 130))
    for place in range(2):
        pair.paste(astronaut.resize((320, 320)), (320 * place, 0))
    plain = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (192, 1)))
    shapes = [astronaut.resize((320, 320)), pair, plain, astronaut.crop((120, 0, 360, 240))]
    good = [_encode(image, form) for image in shapes for form in ("JPEG", "PNG", "WebP")]
    bad = [content[: len(content) // 2] for content in good[:6]]
    bad += [b"", b"no picture at all", b"\0" * 4096, b"%PDF-1.7\n", os.urandom(2048)]
    # A file that claims to have 30000 x 30000 pixels.
    bomb = bytearray(_encode(plain.convert("RGB"), "PNG"))
    bomb[16:24] = (30000).to_bytes(4, "big") * 2
    return good, [*bad, bytes(bomb)]


def _encode(image: Image.Image, form: str) -> bytes:
    data = BytesIO()
    image.save(data, form)
    return data.getvalue()


def fill_folder(folder: Path, files: int) -> int:
    """Fill ``folder`` with links to a few files and return how many are damaged."""
    originals = folder.parent / "originals"
    originals.mkdir()
    kinds: list[list[Path]] = []
    for kind, contents in zip(("good", "bad"), make_files(), strict=True):
        kinds.append([originals / f"{kind}{number}" for number in range(len(contents))])
        for path, content in zip(kinds[-1], contents, strict=True):
            path.write_bytes(content)
    good, bad = kinds
    for number in range(files):
        target = folder / f"{number // 500:03d}" / f"{number:06d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        is_bad = number % 10 in (2, 5, 8)
        source = bad[number % len(bad)] if is_bad else good[number % len(good)]
        try:
            os.link(source, target)
        except OSError:  # too many links, or a file system without them
            target.write_bytes(source.read_bytes())
    return sum(number % 10 in (2, 5, 8) for number in range(files))


def find_descendants(first: int) -> list[int]:
    """Return the process ``first`` and all its descendants."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
        except OSError:  # it has just ended
            continue
    family = [first]
    for process in family:
        family += [child for child, parent in parents.items() if parent == process]
    return family


def measure_process(process: int) -> tuple[float, int]:
    """Return the private memory of a process in MB, and its number of open file descriptors."""
    try:
        memory = Path(f"/proc/{process}/smaps_rollup").read_text()
        kilobytes = sum(
            int(line.split()[1]) for line in memory.splitlines() if line.startswith("Private_")
        )
        return kilobytes / 1024, len(list(Path(f"/proc/{process}/fd").iterdir()))
    except OSError:
        return 0.0, 0


def watch(run: subprocess.Popen[bytes], journal: Path, every_s: float) -> list[dict[str, float]]:
    """Return samples of what the run's processes use, until it ends."""
    samples = []
    done = position = 0
    while run.poll() is None:
        time.sleep(every_s)
        if journal.exists():
            with journal.open("rb") as file:
                file.seek(position)
                new = file.read()
            done, position = done + new.count(b"\n"), position + len(new)
        sample = [measure_process(process) for process in find_descendants(run.pid)]
        if run.poll() is None and done > 1:
            samples.append(
                {
                    "files": done - 1,  # the first line is a header
                    "megabytes": sum(megabytes for megabytes, _ in sample),
                    "descriptors": sum(count for _, count in sample),
                    "processes": len(sample),
                }
            )
    return samples


def soak(files: int, workers: int, every_s: float) -> dict[str, Any]:
    """Run `emotion batch` over ``files`` files and return the results."""
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        photos, out, temporary = Path(place, "photos"), Path(place, "table.csv"), Path(place, "tmp")
        temporary.mkdir()
        bad = fill_folder(photos, files)
        began = time.monotonic()
        run = subprocess.Popen(
            [sys.executable, "-m", "cli", "batch", photos, "--out", out, "--workers", str(workers)],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary)},
            stderr=subprocess.DEVNULL,
        )
        samples = watch(run, out.with_name("table.csv.journal"), every_s)
        seconds = time.monotonic() - began
        with out.open(encoding="utf-8-sig") as file:
            status_by_path = {row["path"]: row["status"] for row in csv.DictReader(file)}
        statuses = Counter(status_by_path.values())
        left = sorted(path.name for path in Path(place).iterdir())
        in_temporary = len(list(temporary.iterdir()))
    # At the end the workers are gone, and only the table is written.
    warm = [sample for sample in samples if WARM_UP * files < sample["files"] < files]
    slope = np.polyfit(
        [sample["files"] / 1000 for sample in warm], [sample["megabytes"] for sample in warm], 1
    )[0]
    return {
        "files": files,
        "bad": bad,
        "workers": workers,
        "exit_code": run.returncode,
        "files_in_table": len(status_by_path),
        "failed_in_table": statuses["failed"],
        "seconds": round(seconds, 1),
        "files_a_second": round(files / seconds, 1),
        "megabytes_warm": round(warm[0]["megabytes"], 1),
        "megabytes_end": round(warm[-1]["megabytes"], 1),
        "megabytes_a_thousand_files": round(float(slope), 3),
        "descriptors_warm": warm[0]["descriptors"],
        "descriptors_most": max(sample["descriptors"] for sample in warm),
        "processes_most": max(sample["processes"] for sample in samples),
        "temporary_files_left": in_temporary,
        "other_files_left": [name for name in left if name.startswith(".")],
    }


def main() -> None:
    """Print the results, and write them to --out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two samples")
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    options = parser.parse_args()
    text = json.dumps(soak(options.files, options.workers, options.every), indent=2) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
