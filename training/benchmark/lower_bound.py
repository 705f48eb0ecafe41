"""The least an answer could take here: its operations and bytes over this machine's peaks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.config import Preset, settings_for

_COMPACT_FLOPS = 2483.0
"""Of our own detector for each pixel that it sees: 407 million multiply-adds at 640 x 512."""
_CLASSIFIER_FLOPS = 2 * 2 * 57e6
"""MobileNetV2 at 96 px, 57 million multiply-adds (300 at 224 px), for a face and its mirror."""


@dataclass(frozen=True, slots=True)
class Peak:
    """What this machine does at most."""

    flops_per_s: float
    bytes_per_s: float


def measure_peak() -> Peak:
    """By multiplying large float32 matrices, and by copying 64 MB."""
    a = np.ones((1024, 1024), np.float32)
    source, target = np.ones(8_000_000), np.empty(8_000_000)
    return Peak(
        flops_per_s=2 * 1024**3 / _best(lambda: a @ a),
        bytes_per_s=2 * source.nbytes / _best(lambda: np.copyto(target, source)),
    )


def compute_lower_bound_s(pixels: float, faces: int, preset: Preset, peak: Peak) -> float:
    """For a picture of so many ``pixels``, 4:3, with ``faces``, proposed by our own detector.

    Counted are its network and the classifier, and that each pixel decoded is written once and
    read once; everything else only adds.
    """
    settings = settings_for(preset, "hybrid")
    longest = (pixels * 4 / 3) ** 0.5
    seen = pixels * min(1.0, settings.working_px / longest) ** 2
    flops = seen * _COMPACT_FLOPS + faces * _CLASSIFIER_FLOPS
    return float(flops / peak.flops_per_s + 2 * 3 * pixels / peak.bytes_per_s)


def _best(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(12):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)
