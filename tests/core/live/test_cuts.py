"""Hard cuts are noticed; motion, noise and slow changes are not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from core import RgbImage
from core.live.cuts import CutDetector


def scene(seed, size=64):
    """Return a picture of large patches, and more to the right of it than is shown."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(30, 220, (4, 12, 3)).astype(np.uint8)
    return patches.repeat(size // 4, axis=0).repeat(size // 4, axis=1)


def find_cuts(pictures):
    cuts = CutDetector()
    found = [cuts.is_cut(RgbImage(np.ascontiguousarray(each, np.uint8))) for each in pictures]
    return [number for number, cut in enumerate(found) if cut]


def test_cut_is_the_first_frame_of_the_new_scene():
    pictures = [scene(number // 5)[:, :64] for number in range(15)]
    assert find_cuts(pictures) == [5, 10]


def test_cut_in_front_of_the_same_wall_is_noticed():
    """Only the face and the shoulders are others: a quarter of the picture."""
    one = np.full((64, 64, 3), 120)
    other = one.copy()
    one[16:48, 16:48], other[16:48, 16:48] = scene(1)[:32, :32], scene(2)[:32, :32]
    assert find_cuts([one] * 4 + [other] * 4) == [4]


@pytest.mark.parametrize("step", [0, 1, 3])
def test_motion_and_noise_are_no_cut(step):
    rng = np.random.default_rng(0)
    wide = scene(3).astype(float)
    pictures = [
        np.clip(wide[:, step * n : 64 + step * n] + rng.normal(0, 10, (64, 64, 3)), 0, 255)
        for n in range(30)
    ]
    assert find_cuts(pictures) == []


def test_fade_is_no_cut():
    one, other = scene(4)[:, :64].astype(float), scene(5)[:, :64].astype(float)
    shares = np.linspace(0, 1, 25)
    assert find_cuts([(1 - share) * one + share * other for share in shares]) == []


def test_single_frame_and_frames_of_one_pixel_are_no_cut():
    assert find_cuts([scene(1)]) == []
    assert find_cuts([np.zeros((1, 1, 3))] * 3) == []
