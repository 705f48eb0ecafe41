"""What only a separate process can measure: start-up, the first answer and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from core.batch.options import BatchOptions
from core.batch.run import run_batch
from core.config import AnalyzerConfig
from core.types import RgbImage

ROOT = Path(__file__).resolve().parents[2]

_MEMORY_SCRIPT = """
import resource, sys, timeit
from pathlib import Path
name, photo = sys.argv[1:]
from core.reading.reader import read_in_process
image = read_in_process(Path(photo))
if name == "obvious":
    from training.benchmark.baseline import BaselinePipeline
    analyze = BaselinePipeline().analyze
    work = lambda: analyze(image)
else:
    from core.config import AnalyzerConfig
    from core.pipeline import Analyzer
    detector, preset = name.split("/")
    analyzer = Analyzer.from_config(AnalyzerConfig(detector=detector, preset=preset))
    work = lambda: analyzer.analyze(read_in_process(Path(photo)))
def peak():
    # On Linux getrusage starts from the peak of the parent process.
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1024 * 1024 if sys.platform == "darwin" else 1024)
work()
seconds = min(timeit.repeat(work, number=1, repeat=3))
print(peak(), seconds)
"""


def measure_peak_and_seconds(
    configuration: str, image: RgbImage, *, cores: int | None = None
) -> tuple[float, float]:
    """Return the peak memory in MB of a process that analyses ``image``, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        Image.fromarray(image.pixels).save(photo, quality=90)
        command = [sys.executable, "-c", _MEMORY_SCRIPT, configuration, str(photo)]
        *_, peak, seconds = _run(command, cores=cores).split()
    return float(peak), float(seconds)


def measure_batch(
    config: AnalyzerConfig, images: Sequence[RgbImage], count: int
) -> dict[str, float]:
    """Return the seconds of `emotion batch` for ``count`` photos, which repeat ``images``.

    ``whole`` includes the start; ``each`` is the time between the first and the last results,
    divided by the photos in between.
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
    # Not before the first result, because the workers were still loading.
    results = [tick for tick in ticks if tick[1]] or [(started, 0)]
    (began, before), (ended, after) = results[0], results[-1]
    per_photo = (ended - began) / (after - before) if after > before else whole / count
    return {"whole": whole, "each": per_photo, "faces_a_photo": summary.faces / count}


def measure_startup(image: RgbImage, rounds: int = 3) -> dict[str, float]:
    """Return seconds of help, of a first answer with and without a cache, and of imports."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        Image.fromarray(image.pixels).save(photo)
        emotion = [sys.executable, "-m", "cli"]
        cache = {"PHOTO_EMOTION_CACHE": str(Path(folder) / "cache")}
        analyze = [*emotion, "analyze", str(photo)]
        uncached = _time_command(analyze, 1, cache)
        seconds = {
            "help": _time_command([*emotion, "--help"], rounds),
            "first answer, nothing kept": uncached,
            "first answer, compiled networks kept": _time_command(analyze, rounds, cache),
        }
    empty = _time_command([sys.executable, "-c", "pass"], rounds)
    for package in ("core", "numpy", "cv2", "openvino", "mediapipe", "torch", "torchvision"):
        import_s = _time_command([sys.executable, "-c", f"import {package}"], rounds)
        seconds[f"import {package}"] = max(0.0, import_s - empty)
    return {name: round(value, 3) for name, value in seconds.items()}


def _time_command(
    command: Sequence[str], rounds: int, environment: dict[str, str] | None = None
) -> float:
    """Return the median seconds of ``command``."""
    run = partial(_run, command, environment=environment)
    return statistics.median(timeit.repeat(run, number=1, repeat=rounds))


def _run(
    command: Sequence[str],
    *,
    environment: dict[str, str] | None = None,
    cores: int | None = None,
) -> str:
    """Run ``command`` on the first ``cores`` cores, or on all; return what it prints."""
    # Limited before Python starts, because libraries count the cores when they are imported.
    limit = ["taskset", "-c", ",".join(map(str, range(cores)))] if cores else []
    finished = subprocess.run(
        [*limit, *command],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        check=True,
        capture_output=True,
        text=True,
    )
    return finished.stdout
