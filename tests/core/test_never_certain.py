"""What no one could read as a face never gets a certain answer, however sure the network is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core import Analyzer, AnalyzerConfig, Box, Face, Reading, RgbImage
from core.landmarks.face_mesh import FaceMeshLandmarks
from tests.core.pipeline_parts import (
    BrightnessClassifier,
    FixedDetector,
    FixedLandmarks,
    analyzer,
    five_points,
)


def wall():
    """Bricks with mortar."""
    pixels = np.full((240, 240, 3), (150, 80, 60), np.uint8)
    for row, y in enumerate(range(0, 240, 24)):
        cv2.line(pixels, (0, y), (240, y), (190, 185, 180), 3)
        for x in range(-24 * (row % 2), 240, 48):
            cv2.line(pixels, (x, y), (x, y + 24), (190, 185, 180), 3)
    return pixels


def flower():
    """Petals about a dark middle."""
    pixels = np.full((240, 240, 3), (60, 120, 50), np.uint8)
    for angle in range(0, 360, 40):
        x, y = 120 + 55 * np.cos(np.radians(angle)), 120 + 55 * np.sin(np.radians(angle))
        cv2.ellipse(pixels, (int(x), int(y)), (42, 18), angle, 0, 360, (235, 200, 60), -1)
    cv2.circle(pixels, (120, 120), 24, (90, 50, 20), -1)
    return pixels


def noise():
    return np.random.default_rng(0).integers(0, 256, (240, 240, 3), dtype=np.uint8)


def flat():
    return np.full((240, 240, 3), 127, np.uint8)


@pytest.fixture(scope="module")
def mesh():
    return FaceMeshLandmarks()


def sure_analyzer(landmarks, *faces):
    """An analyzer whose network is always sure of "happy"."""
    return Analyzer(
        AnalyzerConfig(),
        detector=FixedDetector(*faces),
        landmarks=landmarks,
        model=analyzer(classifier=BrightnessClassifier(20))._model,
    )


def assert_not_certain(answer):
    assert answer.quality.unreadable in answer.quality.reasons
    assert not any(answer.readings[reading].certain for reading in Reading)
    assert not any(scores.certain for scores in answer.per_model.values())


@pytest.mark.parametrize("points", [None, five_points(60, 60, 2.5)], ids=["no points", "points"])
@pytest.mark.parametrize("draw", [wall, flower, noise, flat])
def test_thing_that_a_detector_takes_for_a_face_is_never_certain(mesh, draw, points):
    face = Face(Box(60, 50, 180, 190), 0.99, points)
    (answer,) = sure_analyzer(mesh, face).analyze(RgbImage(draw())).faces
    assert_not_certain(answer)


@pytest.mark.parametrize("side", [1, 8, 19.9])
def test_tiny_face_is_never_certain_even_with_landmarks(side, astronaut):
    face = Face(Box(200, 100, 200 + side, 100 + side), 0.99)
    located = FixedLandmarks(five_points(200, 100, side / 48))
    (answer,) = sure_analyzer(located, face).analyze(RgbImage(astronaut)).faces
    assert_not_certain(answer)


def test_face_of_20_px_with_landmarks_may_be_certain(astronaut):
    face = Face(Box(200, 100, 220, 120), 0.99)
    located = FixedLandmarks(five_points(200, 100, 20 / 48))
    (answer,) = sure_analyzer(located, face).analyze(RgbImage(astronaut)).faces
    assert answer.emotions.certain
