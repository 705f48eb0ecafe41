"""What only a process of its own can tell: how long a first answer takes, and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from core.batch.options import BatchOptions
from core.batch.run import run_batch
from core.config import AnalyzerConfig
from core.types import RgbImage

ROOT = Path(__file__).resolve().parents[2]

_MEMORY = """
import resource, sys
from pathlib import Path
way, photo, *cores = sys.argv[1:]
from core.reading.reader import read_image
image = read_image(Path(photo))
if way == "obvious":
    from training.benchmark.baseline import BaselinePipeline
    analyze = BaselinePipeline().analyze
    work = lambda: analyze(image.pixels)
else:
    from core.config import AnalyzerConfig
    from core.pipeline import Analyzer
    detector, preset = way.split("/")
    analyzer = Analyzer.from_config(AnalyzerConfig(detector=detector, preset=preset))
    work = lambda: analyzer.analyze(read_image(Path(photo)))
import time
def peak():
    # On Linux the figure of getrusage begins with that of the process which started this one.
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    told = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return told / (1024 * 1024 if sys.platform == "darwin" else 1024)
work()
times = []
for _ in range(3):
    started = time.perf_counter()
    work()
    times.append(time.perf_counter() - started)
print(peak(), min(times))
"""


def peak_and_seconds(way: str, image: RgbImage, *, cores: int | None = None) -> tuple[float, float]:
    """Peak memory in MB of a process that answers ``image``, and the seconds of one answer."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        Image.fromarray(image.pixels).save(photo, quality=90)
        told = _run([sys.executable, "-c", _MEMORY, way, str(photo)], cores=cores).split()
    return float(told[-2]), float(told[-1])


def batch_seconds(
    config: AnalyzerConfig, images: Sequence[RgbImage], count: int
) -> dict[str, float]:
    """What `emotion batch` takes for ``count`` copies of ``images``, and per photo once it runs.

    ``whole`` counts everything from the command on; ``each`` is the time between the first
    answers and the last, divided by the photos in between.
    """
    ticks: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        for number in range(count):
            if number < len(images):
                pixels = Image.fromarray(images[number].pixels)
                pixels.save(photos / f"{number}.jpg", quality=90)
            else:
                first = photos / f"{number % len(images)}.jpg"
                (photos / f"{number}.jpg").hardlink_to(first)
        started = time.perf_counter()
        summary = run_batch(
            BatchOptions(str(photos), Path(folder) / "rows.csv", config),
            on_progress=lambda progress: ticks.append((time.perf_counter(), progress.done)),
        )
        whole = time.perf_counter() - started
    # Only from the first answer on: before it the workers were loading.
    answered = [tick for tick in ticks if tick[1]] or [(started, 0)]
    (began, before), (ended, after) = answered[0], answered[-1]
    each = (ended - began) / (after - before) if after > before else whole / count
    return {"whole": whole, "each": each, "faces_a_photo": summary.faces / count}


def startup(image: RgbImage, rounds: int = 3) -> dict[str, float]:
    """Seconds: help, a first answer with compiled networks kept and without, single imports."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        Image.fromarray(image.pixels).save(photo)
        emotion = [sys.executable, "-m", "cli"]
        kept = {"PHOTO_EMOTION_CACHE": str(Path(folder) / "kept")}
        answer = [*emotion, "analyze", str(photo)]
        first = _seconds(answer, 1, kept)
        told = {
            "help": _seconds([*emotion, "--help"], rounds),
            "first answer, nothing kept": first,
            "first answer, compiled networks kept": _seconds(answer, rounds, kept),
        }
    empty = _seconds([sys.executable, "-c", "pass"], rounds)
    for package in ("core", "numpy", "cv2", "openvino", "mediapipe", "torch", "torchvision"):
        taken = _seconds([sys.executable, "-c", f"import {package}"], rounds)
        told[f"import {package}"] = max(0.0, taken - empty)
    return {name: round(value, 3) for name, value in told.items()}


def _seconds(command: Sequence[str], rounds: int, more: dict[str, str] | None = None) -> float:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        _run(command, more=more)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _run(
    command: Sequence[str], *, more: dict[str, str] | None = None, cores: int | None = None
) -> str:
    # Cores are set before Python starts: libraries count them when they are imported.
    limit = ["taskset", "-c", ",".join(map(str, range(cores)))] if cores else []
    done = subprocess.run(
        [*limit, *command],
        cwd=ROOT,
        env={**os.environ, **(more or {})},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
