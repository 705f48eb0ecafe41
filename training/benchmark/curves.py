"""How time and memory grow with pixels, faces, photos and cores, beside a lower bound.

The bound is the operations and bytes of an answer over this machine's peaks.
"""

from __future__ import annotations

import math
import os
import shutil
import timeit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from core.config import AnalyzerConfig, Preset, get_settings
from core.files import write_json
from core.types import RgbImage

from .photos import generate_photo
from .processes import measure_batch, measure_peak_and_seconds
from .run import BASELINE, get_default_configuration

MEGAPIXELS = (0.1, 0.5, 2, 8, 20, 50)
FACES = (0, 5, 15, 30, 60)
PHOTOS = (10, 100, 1_000, 10_000)
_MAX_BATCH_S = 120.0
"""A batch that would take longer is not started; its point is left out."""
_BASELINE_MAX_MEGAPIXELS = 8
"""The baseline is measured up to here; above, it takes many seconds."""
_COMPACT_FLOPS = 2483.0
"""Our own detector, per pixel of its input: 407 million multiply-adds at 640 x 512."""
_CLASSIFIER_FLOPS = 2 * 2 * 57e6
"""MobileNetV2 at 96 px, for a face and its mirror image: 57 million multiply-adds each."""


@dataclass(frozen=True, slots=True)
class Peak:
    """What this machine can do at most."""

    flops_per_s: float
    bytes_per_s: float


def draw_curves(
    folder: Path, *, progress: Callable[[str], None] = lambda _: None
) -> tuple[Path, ...]:
    """Write the plots and their figures (curves.json) to ``folder``; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    peak = measure_peak()
    names = tuple(dict.fromkeys((get_default_configuration(), f"mtcnn/{Preset.BALANCED}")))
    figures: dict[str, Any] = {
        "peak": {"gflops": peak.flops_per_s / 1e9, "gb_per_s": peak.bytes_per_s / 1e9}
    }
    progress("Pixels")
    sizes = {megapixels: _make_photo(megapixels) for megapixels in MEGAPIXELS}
    figures["pixels"] = _measure_growth(
        sizes, (*names, BASELINE), baseline_max=_BASELINE_MAX_MEGAPIXELS
    )
    progress("Faces")
    crowds = {float(count): generate_photo((1600, 1200), count) for count in FACES}
    figures["faces"] = _measure_growth(crowds, (*names, BASELINE))
    progress("Cores")
    # Without taskset, as on macOS, a process cannot be limited to some of the cores.
    available = os.cpu_count() or 1 if shutil.which("taskset") else 0
    photo = generate_photo((1024, 768), 2)
    figures["cores"] = {
        name: {
            str(cores): 1000 * measure_peak_and_seconds(name, photo, cores=cores)[1]
            for cores in range(1, min(2, available) + 1)
        }
        for name in (*names, BASELINE)
    }
    progress("Photos")
    figures["photos"] = _measure_batches()
    file = folder / "curves.json"
    write_json(file, figures)
    plots = {
        "cost_pixels.png": _plot_cost(figures, "pixels", "megapixels", peak),
        "cost_faces.png": _plot_cost(figures, "faces", "faces in a photo of 1600 x 1200", peak),
        "cost_photos_cores.png": _plot_photos_and_cores(figures),
    }
    for name, plot in plots.items():
        plot.tight_layout()
        plot.savefig(folder / name, dpi=110)
    return (file, *(folder / name for name in plots))


def _make_photo(megapixels: float) -> RgbImage:
    height = math.floor((megapixels * 1e6 * 3 / 4) ** 0.5)
    return generate_photo((height * 4 // 3, height), 2)


def _measure_growth(
    photos: Mapping[float, RgbImage], names: Sequence[str], baseline_max: float = 1e9
) -> dict[str, dict[str, dict[str, float]]]:
    """Return milliseconds and megabytes of each configuration for each photo, by its size."""
    figures: dict[str, dict[str, dict[str, float]]] = {name: {} for name in names}
    for size, photo in photos.items():
        for name in names:
            if name == BASELINE and size > baseline_max:
                continue
            megabytes, seconds = measure_peak_and_seconds(name, photo)
            figures[name][f"{size:g}"] = {"ms": 1000 * seconds, "mb": megabytes}
    return figures


def _measure_batches() -> dict[str, float]:
    """Return the seconds of `emotion batch` by the number of photos of 640 px."""
    photo = generate_photo((640, 480), 1)
    seconds: dict[str, float] = {}
    per_photo_s = 0.0
    for count in PHOTOS:
        if per_photo_s * count > _MAX_BATCH_S:
            break
        times = measure_batch(AnalyzerConfig(preset=Preset.FAST), [photo], count)
        seconds[str(count)] = times["whole"]
        per_photo_s = times["each"]
    return seconds


def _plot_cost(figures: Mapping[str, Any], kind: str, label: str, peak: Peak) -> Figure:
    """Plot time and memory by ``kind``, pixels or faces."""
    by_pixels = kind == "pixels"
    figure = Figure(figsize=(11, 4.2))
    times, memory = figure.subplots(1, 2)
    for name, points in figures[kind].items():
        x = [float(size) for size in points]
        style = {"marker": "o", "linestyle": "--" if name == BASELINE else "-"}
        times.plot(x, [point["ms"] for point in points.values()], label=name, **style)
        memory.plot(x, [point["mb"] for point in points.values()], label=name, **style)
    x = [float(size) for size in (MEGAPIXELS if by_pixels else FACES)]
    contents = [(size * 1e6, 2) if by_pixels else (1600 * 1200, int(size)) for size in x]
    bound = [
        1000 * compute_lower_bound_s(pixels, faces, Preset.BALANCED, peak)
        for pixels, faces in contents
    ]
    times.plot(x, bound, color="black", linestyle=":", label="lower bound, hybrid")
    times.set(xlabel=label, ylabel="milliseconds", yscale="log")
    memory.set(xlabel=label, ylabel="peak memory, MB", ylim=(0, None))
    for panel in (times, memory):
        if by_pixels:
            panel.set_xscale("log")
        panel.grid(alpha=0.3)
    times.legend(frameon=False, fontsize="small")
    return figure


def _plot_photos_and_cores(figures: Mapping[str, Any]) -> Figure:
    figure = Figure(figsize=(11, 4.2))
    photos, cores = figure.subplots(1, 2)
    counts = [int(count) for count in figures["photos"]]
    photos.loglog(counts, list(figures["photos"].values()), marker="o")
    photos.set(xlabel="photos of 640 px in a batch", ylabel="seconds")
    photos.grid(alpha=0.3, which="both")
    for name, points in figures["cores"].items():
        x = [int(count) for count in points]
        cores.plot(x, list(points.values()), marker="o", label=name)
    cores.set(xlabel="cores", ylabel="milliseconds per photo", ylim=(0, None), xticks=[1, 2])
    cores.grid(alpha=0.3)
    cores.legend(frameon=False, fontsize="small")
    return figure


def measure_peak() -> Peak:
    """Measure with a product of large float32 matrices, and with a copy of 64 MB."""
    a = np.ones((1024, 1024), np.float32)
    source, target = np.ones(8_000_000), np.empty(8_000_000)
    return Peak(
        flops_per_s=2 * 1024**3 / _time_best(lambda: a @ a),
        bytes_per_s=2 * source.nbytes / _time_best(lambda: np.copyto(target, source)),
    )


def compute_lower_bound_s(pixels: float, faces: int, preset: Preset, peak: Peak) -> float:
    """Return the least time for a 4:3 picture with ``faces``, if our own detector proposes them.

    It counts the detector's network, the classifier, and one write and one read of each decoded
    pixel. Everything else takes extra time.
    """
    settings = get_settings(preset, "hybrid")
    width = (pixels * 4 / 3) ** 0.5
    detected = pixels * min(1.0, settings.working_px / width) ** 2
    flops = detected * _COMPACT_FLOPS + faces * _CLASSIFIER_FLOPS
    return float(flops / peak.flops_per_s + 2 * 3 * pixels / peak.bytes_per_s)


def _time_best(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=1, repeat=12))
