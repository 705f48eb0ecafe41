"""Candidates are run in batches of a few sizes, each candidate once."""

from __future__ import annotations

import numpy as np
import pytest

from core.detectors.area_windows import integral_image
from core.detectors.cascade import run_batched

SIZES = {4, 8, 16, 64, 256}
MOST_BLANK = 7


class Brightness:
    """Return the brightness of each crop and record the batch sizes."""

    def __init__(self):
        self.sizes = []

    def run(self, batch):
        self.sizes.append(len(batch))
        return batch.mean(axis=(2, 3))


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 9, 15, 16, 17, 40, 63, 64, 100, 255, 300])
def test_every_candidate_gets_its_own_output(count):
    dice = np.random.default_rng(count)
    pixels = dice.integers(0, 256, (90, 120, 3), dtype=np.uint8)
    corners = dice.integers(1, 60, (count, 2))
    boxes = np.concatenate([corners, corners + 24], axis=1).astype(np.float32)
    network = Brightness()
    answers = run_batched(network, integral_image(pixels), boxes, 24)
    expected = [
        (pixels[y - 1 : y + 24, x - 1 : x + 24].mean(axis=(0, 1)) - 127.5) / 128 for x, y in corners
    ]
    assert answers == pytest.approx(np.array(expected), abs=0.03)
    assert set(network.sizes) <= SIZES
    assert sum(network.sizes) - count <= MOST_BLANK
