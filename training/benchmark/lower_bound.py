"""Lower bound of the time for an answer: its operations and bytes over this machine's peaks."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.config import Preset, settings_for

_COMPACT_FLOPS = 2483.0
"""Our own detector, per pixel of its input: 407 million multiply-adds at 640 x 512."""
_CLASSIFIER_FLOPS = 2 * 2 * 57e6
"""MobileNetV2 at 96 px, for a face and its mirror image: 57 million multiply-adds each."""


@dataclass(frozen=True, slots=True)
class Peak:
    """What this machine can do at most."""

    flops_per_s: float
    bytes_per_s: float


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
    settings = settings_for(preset, "hybrid")
    width = (pixels * 4 / 3) ** 0.5
    detected = pixels * min(1.0, settings.working_px / width) ** 2
    flops = detected * _COMPACT_FLOPS + faces * _CLASSIFIER_FLOPS
    return float(flops / peak.flops_per_s + 2 * 3 * pixels / peak.bytes_per_s)


def _time_best(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=1, repeat=12))
