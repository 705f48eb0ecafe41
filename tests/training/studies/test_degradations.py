"""Degraded faces."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.slices import (
    measure_brightness,
    measure_contrast,
    measure_light_asymmetry,
    measure_sharpness,
)
from training.studies.degradations import LEVELS, UNCHANGED, Degradation, degrade_faces


@pytest.fixture
def faces(draw):
    return np.stack([draw(emotion, 1) for emotion in range(7)])


@pytest.mark.parametrize("kind", [Degradation.GAMMA, Degradation.ROTATION, Degradation.EYES])
def test_first_level_of_a_curve_changes_nothing(faces, kind):
    np.testing.assert_array_equal(degrade_faces(faces, kind, UNCHANGED[kind]), faces)


@pytest.mark.parametrize("kind", Degradation)
def test_higher_level_changes_more_and_keeps_the_original(faces, kind):
    before = faces.copy()
    changes = [
        np.abs(degrade_faces(faces, kind, level).astype(float) - faces).mean()
        for level in LEVELS[kind]
    ]
    np.testing.assert_array_equal(faces, before)
    if kind is Degradation.GAMMA:
        # It grows away from 1 on both sides.
        assert changes[0] > changes[1] > 0
        assert changes[-1] > changes[-2] > changes[-3] > 0
    elif kind is Degradation.ROTATION:
        # Stripes that were turned far enough lie on one another again.
        assert min(changes) > 0
    else:
        assert changes == sorted(changes)
        assert changes[0] > 0


def test_noise_depends_on_seed_and_face_but_not_on_level(faces):
    twice = np.stack([faces[0], faces[0]])
    one, other = degrade_faces(twice, Degradation.NOISE, 10.0)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(degrade_faces(twice, Degradation.NOISE, 10.0)[0], one)
    assert not np.array_equal(degrade_faces(twice, Degradation.NOISE, 10.0, seed=1)[0], one)
    flat = np.full((1, 48, 48), 128, np.uint8)
    small = degrade_faces(flat, Degradation.NOISE, 5.0)[0].astype(float) - 128
    large = degrade_faces(flat, Degradation.NOISE, 20.0)[0].astype(float) - 128
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.99


def test_bars_lie_on_eyes_and_mouth(faces):
    for kind, middle in ((Degradation.EYES, 19), (Degradation.MOUTH, 37)):
        changed = (degrade_faces(faces, kind, 8.0) != faces).any(axis=(0, 2))
        rows = np.flatnonzero(changed)
        assert rows.min() == middle - 4
        assert rows.max() == middle + 3


def test_gamma_above_one_is_darker(faces):
    darker = degrade_faces(faces, Degradation.GAMMA, 2.5)
    assert measure_brightness(darker[0]) < measure_brightness(faces[0]) < 1


def test_measures_show_what_was_changed(faces):
    face = faces[2]
    blurred = degrade_faces(faces, Degradation.BLUR, 2.0)[2]
    assert measure_sharpness(blurred) < 0.5 * measure_sharpness(face)
    assert measure_contrast(blurred) < measure_contrast(face)
    lit = face.copy()
    lit[:, 24:] //= 2
    # Half the light on one side: (1 - 1/2) / (1 + 1/2)
    assert measure_light_asymmetry(lit) == pytest.approx(1 / 3, abs=0.05)
    assert measure_light_asymmetry(np.zeros((48, 48), np.uint8)) == 0
