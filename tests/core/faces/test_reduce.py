"""A shrunk picture shows the same content at the same places."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.faces.reduce import shrink_to_fit


def ramp(width, height):
    """A picture whose red grows to the right and whose green grows downwards."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, :, 0] = np.round(255 * np.arange(width) / width)
    picture[:, :, 1] = np.round(255 * np.arange(height) / height)[:, None]
    return picture


@pytest.mark.parametrize(
    ("width", "height"),
    [(1025, 700), (1536, 1024), (2047, 1365), (2048, 1365), (3000, 4001), (8160, 6120)],
)
def test_shrinking_does_not_shift_the_picture(width, height):
    small = shrink_to_fit(ramp(width, height), 1024)
    assert max(small.shape[:2]) == 1024
    assert small.shape[0] / small.shape[1] == pytest.approx(height / width, abs=0.001)
    difference = small.astype(int) - ramp(*small.shape[1::-1])
    assert np.abs(difference).max() <= 2


@pytest.mark.parametrize("side", [600, 683, 1024, 1500, 3333])
def test_shrinking_is_close_to_area_averaging(astronaut, side):
    pixels = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_CUBIC)
    exact = cv2.resize(pixels, (512, 512), interpolation=cv2.INTER_AREA)
    assert np.abs(shrink_to_fit(pixels, 512).astype(int) - exact).mean() < 2.5


def test_every_pixel_contributes():
    """Sampled here and there, grain would stay; of sixteen pixels the mean has a quarter of it."""
    grain = np.random.default_rng(0).integers(0, 256, (256, 4096, 3), dtype=np.uint8)
    assert shrink_to_fit(grain, 1024).std() == pytest.approx(grain.std() / 4, rel=0.05)


def test_small_picture_is_unchanged():
    pixels = ramp(1024, 300)
    assert shrink_to_fit(pixels, 1024) is pixels


@pytest.mark.parametrize(("size_wh", "expected"), [((5000, 1), (1024, 1)), ((1, 5000), (1, 1024))])
def test_thin_strip_keeps_one_pixel(size_wh, expected):
    assert shrink_to_fit(ramp(*size_wh), 1024).shape[1::-1] == expected
