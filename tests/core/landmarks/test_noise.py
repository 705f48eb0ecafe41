"""Landmarks are shifted by a given error."""

from __future__ import annotations

import numpy as np
import pytest

from core import LandmarkNoise, Landmarks, shift_landmarks
from core.landmarks.noise import _EYES_AND_MOUTH
from tests.core.pipeline_parts import five_points

EYE_DISTANCE = float(np.hypot(33.0 - 15.2, 18.8 - 19.0))


def mesh(seed=0):
    points = np.random.default_rng(seed).uniform(0, 100, (468, 2))
    return Landmarks(points.astype(np.float32), "face_mesh_468", np.ones(468, np.float32))


def steps(before, after):
    return np.linalg.norm(after.points - before.points, axis=1)


@pytest.mark.parametrize("noise", LandmarkNoise)
@pytest.mark.parametrize("landmarks", [five_points(scale=3), mesh()], ids=["five", "mesh"])
def test_zero_error_moves_nothing(noise, landmarks):
    after = shift_landmarks(landmarks, noise, 0.0, seed=1)
    np.testing.assert_allclose(after.points, landmarks.points, atol=1e-4)
    assert after.scheme == landmarks.scheme
    assert after.depth is landmarks.depth is None or (after.depth == landmarks.depth).all()


@pytest.mark.parametrize("noise", [each for each in LandmarkNoise if each != LandmarkNoise.JITTER])
def test_error_is_the_mean_distance_of_the_points_that_move(noise):
    before = five_points(scale=3)
    length = steps(before, shift_landmarks(before, noise, 0.2, seed=1))
    moving = {LandmarkNoise.EYES: [0, 1], LandmarkNoise.MOUTH: [3, 4]}.get(noise, range(5))
    assert length[list(moving)].mean() == pytest.approx(0.2 * 3 * EYE_DISTANCE, rel=1e-3)
    assert np.delete(length, list(moving)).sum() == 0


def test_mean_distance_of_jitter_is_the_error():
    before = five_points(scale=3)
    lengths = [
        steps(before, shift_landmarks(before, LandmarkNoise.JITTER, 0.2, seed=n))
        for n in range(2000)
    ]
    assert np.mean(lengths) == pytest.approx(0.2 * 3 * EYE_DISTANCE, rel=0.02)


def test_rotated_points_keep_their_shape():
    before = five_points(scale=3)
    after = shift_landmarks(before, LandmarkNoise.ROTATION, 0.3, seed=1)
    gaps = [np.linalg.norm(each.points[:, None] - each.points, axis=2) for each in (before, after)]
    np.testing.assert_allclose(*gaps, atol=1e-3)


def test_error_beyond_half_a_turn_stays_half_a_turn():
    before = five_points(scale=3)
    far = shift_landmarks(before, LandmarkNoise.ROTATION, 50.0, seed=1).points
    np.testing.assert_allclose(far, 2 * before.points.mean(axis=0) - before.points, atol=1e-3)


def test_seed_decides_the_direction_and_error_the_distance():
    before = five_points(scale=3)
    near, far = (
        shift_landmarks(before, LandmarkNoise.JITTER, e, seed=4).points for e in (0.1, 0.2)
    )
    np.testing.assert_allclose(far - before.points, 2 * (near - before.points), atol=1e-3)
    assert not np.allclose(near, shift_landmarks(before, LandmarkNoise.JITTER, 0.1, seed=5).points)


def test_eyes_and_mouth_are_those_of_the_face_mesh():
    connections = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    for group, lines in zip(
        _EYES_AND_MOUTH["face_mesh_468"],
        # MediaPipe names sides as the subject sees them.
        (
            connections.FACEMESH_RIGHT_EYE,
            connections.FACEMESH_LEFT_EYE,
            connections.FACEMESH_LIPS,
        ),
        strict=True,
    ):
        assert set(group) == {point for line in lines for point in line}
        assert len(set(group)) == len(group)


@pytest.mark.parametrize("noise", LandmarkNoise)
def test_landmarks_in_one_place_stay_there(noise):
    before = Landmarks(np.full((5, 2), 20.0), "five_points")
    np.testing.assert_array_equal(shift_landmarks(before, noise, 0.5, seed=1).points, before.points)


def test_landmarks_without_eyes_are_refused():
    with pytest.raises(ValueError, match="expected landmarks"):
        shift_landmarks(Landmarks(np.zeros((3, 2)), "triangle"), LandmarkNoise.SHIFT, 0.1, seed=0)
