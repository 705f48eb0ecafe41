"""How time and memory grow with pixels, faces, photos and cores, drawn with the least possible."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.config import AnalyzerConfig, Preset
from core.types import RgbImage

from .lower_bound import Peak, compute_lower_bound_s, measure_peak
from .photos import generated
from .processes import batch_seconds, peak_and_seconds
from .run import OBVIOUS, get_default_configuration

MEGAPIXELS = (0.1, 0.5, 2, 8, 20, 50)
FACES = (0, 5, 15, 30, 60)
PHOTOS = (10, 100, 1_000, 10_000)
_MOST_S = 120.0
"""A batch that would take longer is not begun; its point is left out."""
_OBVIOUS_MOST = 8
"""Megapixels up to which the obvious implementation is measured: beyond it takes many seconds."""


def draw_curves(folder: Path, *, tell: Callable[[str], None] = lambda _: None) -> tuple[Path, ...]:
    """The files written to ``folder``: the plots and, as curves.json, their figures."""
    folder.mkdir(parents=True, exist_ok=True)
    peak = measure_peak()
    ways = tuple(dict.fromkeys((get_default_configuration(), f"mtcnn/{Preset.BALANCED}")))
    figures: dict[str, Any] = {
        "peak": {"gflops": peak.flops_per_s / 1e9, "gb_per_s": peak.bytes_per_s / 1e9}
    }
    tell("Pixels")
    figures["pixels"] = _grown(
        {mp: _sized(mp) for mp in MEGAPIXELS}, (*ways, OBVIOUS), obvious_most=_OBVIOUS_MOST
    )
    tell("Faces")
    crowds = {float(count): generated((1600, 1200), count) for count in FACES}
    figures["faces"] = _grown(crowds, (*ways, OBVIOUS))
    tell("Cores")
    # Without taskset, as on macOS, a process cannot be held to some of the cores.
    known = os.cpu_count() or 1 if shutil.which("taskset") else 0
    figures["cores"] = {
        way: {
            str(cores): 1000 * peak_and_seconds(way, generated((1024, 768), 2), cores=cores)[1]
            for cores in range(1, min(2, known) + 1)
        }
        for way in (*ways, OBVIOUS)
    }
    tell("Photos")
    figures["photos"] = _batches()
    file = folder / "curves.json"
    file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return (file, *_drawn(figures, peak, folder))


def _sized(megapixels: float) -> RgbImage:
    height = math.floor((megapixels * 1e6 * 3 / 4) ** 0.5)
    return generated((height * 4 // 3, height), 2)


def _grown(
    pictures: Mapping[float, RgbImage], ways: Sequence[str], obvious_most: float = 1e9
) -> dict[str, dict[str, dict[str, float]]]:
    """Milliseconds and megabytes of each way for each picture, by what it grows with."""
    figures: dict[str, dict[str, dict[str, float]]] = {way: {} for way in ways}
    for size, picture in pictures.items():
        for way in ways:
            if way == OBVIOUS and size > obvious_most:
                continue
            megabytes, seconds = peak_and_seconds(way, picture)
            figures[way][f"{size:g}"] = {"ms": 1000 * seconds, "mb": megabytes}
    return figures


def _batches() -> dict[str, float]:
    """Seconds of `emotion batch` for so many photos of 640 px."""
    photo = generated((640, 480), 1)
    seconds: dict[str, float] = {}
    each = 0.0
    for count in PHOTOS:
        if each * count > _MOST_S:
            break
        told = batch_seconds(AnalyzerConfig(preset=Preset.FAST), [photo], count)
        seconds[str(count)] = told["whole"]
        each = told["each"]
    return seconds


def _drawn(figures: Mapping[str, Any], peak: Peak, folder: Path) -> list[Path]:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    written = []
    for kind, label in (("pixels", "megapixels"), ("faces", "faces in a photo of 1600 x 1200")):
        figure, (times, memory) = plt.subplots(1, 2, figsize=(11, 4.2))
        for way, points in figures[kind].items():
            at = [float(size) for size in points]
            style = {"marker": "o", "linestyle": "--" if way == OBVIOUS else "-"}
            times.plot(at, [each["ms"] for each in points.values()], label=way, **style)
            memory.plot(at, [each["mb"] for each in points.values()], label=way, **style)
        across = np.array(MEGAPIXELS if kind == "pixels" else FACES, dtype=float)
        limit = [
            compute_lower_bound_s(
                each * 1e6 if kind == "pixels" else 1600 * 1200,
                2 if kind == "pixels" else int(each),
                Preset.BALANCED,
                peak,
            )
            for each in across
        ]
        times.plot(
            across, 1000 * np.array(limit), color="black", linestyle=":", label="least, hybrid"
        )
        times.set(xlabel=label, ylabel="milliseconds", yscale="log")
        memory.set(xlabel=label, ylabel="peak memory, MB", ylim=(0, None))
        if kind == "pixels":
            times.set_xscale("log")
            memory.set_xscale("log")
        for panel in (times, memory):
            panel.grid(alpha=0.3)
        times.legend(frameon=False, fontsize="small")
        written.append(_saved(figure, folder / f"cost_{kind}.png"))
        plt.close(figure)
    figure, (photos, cores) = plt.subplots(1, 2, figsize=(11, 4.2))
    counts = [int(each) for each in figures["photos"]]
    photos.loglog(counts, list(figures["photos"].values()), marker="o")
    photos.set(xlabel="photos of 640 px in a batch", ylabel="seconds")
    photos.grid(alpha=0.3, which="both")
    for way, some in figures["cores"].items():
        cores.plot([int(each) for each in some], list(some.values()), marker="o", label=way)
    cores.set(xlabel="cores", ylabel="milliseconds a photo", ylim=(0, None), xticks=[1, 2])
    cores.grid(alpha=0.3)
    cores.legend(frameon=False, fontsize="small")
    written.append(_saved(figure, folder / "cost_photos_cores.png"))
    plt.close(figure)
    return written


def _saved(figure: Any, path: Path) -> Path:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    return path
