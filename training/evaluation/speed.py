"""How long the networks take for an answer, and times of several ways to do the same work."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.classifiers import CLASSIFIERS
from core.config import AnalyzerConfig, Device, Engine
from core.pipeline import Analyzer
from core.types import RgbImage

Work = Callable[[], object]

PAUSE_S = 0.05
"""The threads of the previous way keep a core busy for a moment, waiting for more work."""
FACES = 64
"""Batch size for faces a second; as many as the classifier takes at once."""
ROUNDS = 15
"""Each measurement is the median of so many rounds; models and engines take turns."""


def measure_speed(
    models: Sequence[str], *, weights_dir: Path | None = None
) -> dict[str, dict[str, Any]]:
    """Return milliseconds for one face and faces a second by model and engine, and photos a second.

    Networks answer both views of each face, float32. Photos are analysed with the default detector
    and engine; the photo is scikit-image's portrait of 512x512 pixels with one face. GPU figures
    are included if there is a GPU. ``machine`` describes the computer.
    """
    from skimage.data import astronaut

    faces = np.random.default_rng(0).integers(0, 256, (FACES, 48, 48), dtype=np.uint8)
    ways = {"torch": (Engine.TORCH, Device.CPU), "openvino": (Engine.OPENVINO, Device.CPU)}
    if _has_gpu():
        ways["torch on a GPU"] = (Engine.TORCH, Device.CUDA)
    pixels = np.asarray(astronaut(), dtype=np.uint8)  # type: ignore[no-untyped-call]
    shown = RgbImage(pixels, "photo")
    tasks: dict[tuple[str, str, str], Work] = {}
    for model in models:
        for way, (engine, device) in ways.items():
            make = CLASSIFIERS.get(model)
            network = make(model, weights_dir=weights_dir, engine=engine, device=device)
            tasks[model, way, "one"] = lambda n=network: n.logits(faces[:1])  # type: ignore[misc]
            tasks[model, way, "many"] = lambda n=network: n.logits(faces)  # type: ignore[misc]
        analyzer = Analyzer.from_config(AnalyzerConfig(model=model, weights_dir=weights_dir))
        tasks[model, "", "photo"] = lambda a=analyzer: a.analyze(shown)  # type: ignore[misc]
    seconds = _measure_medians(tasks, ROUNDS)
    machine = describe_machine()
    return {
        model: {
            "machine": machine,
            "engines": {
                way: {
                    "ms_per_face": round(1000 * seconds[model, way, "one"], 2),
                    "faces_per_s": round(FACES / seconds[model, way, "many"], 1),
                }
                for way in ways
            },
            "photos_per_s": round(1 / seconds[model, "", "photo"], 1),
        }
        for model in models
    }


def _measure_medians(
    tasks: Mapping[tuple[str, str, str], Work], rounds: int
) -> dict[tuple[str, str, str], float]:
    """Return the seconds of each task; they take turns, so that a busy moment affects all alike.

    A pause and an unmeasured call precede each measured one: the previous task's threads keep the
    cores busy for a moment, and its weights fill the cache.
    """
    taken: dict[tuple[str, str, str], list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            time.sleep(PAUSE_S)
            task()
            started = time.perf_counter()
            task()
            taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(each) for name, each in taken.items()}


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def describe_machine() -> dict[str, Any]:
    """Return the processor, its threads and the GPU if there is one, to record with figures."""
    import torch

    return {
        "processor": _describe_processor(),
        "threads": torch.get_num_threads(),
        **({"gpu": torch.cuda.get_device_name()} if _has_gpu() else {}),
    }


def _describe_processor() -> str:
    """Return the processor's name with its widest vector instructions."""
    name, flags = platform.processor() or platform.machine(), ""
    known = Path("/proc/cpuinfo")
    if known.exists():
        pairs = (line.partition(":") for line in known.read_text(encoding="utf-8").splitlines())
        lines = {key.strip(): value.strip() for key, _, value in pairs}
        name, flags = lines.get("model name", name), lines.get("flags", "")
    widest = next((each for each in ("avx512f", "avx2") if each in flags.split()), "")
    return f"{name} ({widest})" if widest else name


def time_in_turns(ways: Mapping[str, Sequence[Work]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each piece of each way's work, as the median over the rounds.

    The ways take turns piece by piece, so that a busy moment of the machine affects all alike.
    Every piece is done once unmeasured before.
    """
    pieces = min(len(each) for each in ways.values())
    taken: dict[str, list[list[float]]] = {name: [[] for _ in range(pieces)] for name in ways}
    for turn in range(rounds + 1):
        for piece in range(pieces):
            for name, works in ways.items():
                time.sleep(PAUSE_S)
                started = time.perf_counter()
                works[piece]()
                if turn:
                    taken[name][piece].append(time.perf_counter() - started)
    return {name: [statistics.median(each) for each in rows] for name, rows in taken.items()}


def summarize_seconds(seconds: Sequence[float]) -> dict[str, float]:
    """Return median, 95th percentile and mean in milliseconds."""
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {
        "p50_ms": round(1000 * statistics.median(ordered), 2),
        "p95_ms": round(1000 * last, 2),
        "mean_ms": round(1000 * statistics.fmean(ordered), 2),
    }
