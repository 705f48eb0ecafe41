"""The second look with a margin."""

from __future__ import annotations

import numpy as np
import pytest

from core import Box, Face, Landmarks, RgbImage
from core.detectors.margin import SURE_FROM, MarginDetector

WHOLE = RgbImage(np.zeros((300, 400, 3), np.uint8))


class Scripted:
    """Answers the picture as it is with one list of faces, the widened one with another."""

    def __init__(self, first, second=()):
        self.first, self.second = first, second
        self.seen = []

    def detect(self, image):
        self.seen.append(image)
        return self.first if image is WHOLE else self.second


def find(first, second=()):
    detector = Scripted(tuple(first), tuple(second))
    return MarginDetector(detector).detect(WHOLE), detector.seen


def face(x1, y1, x2, y2, score=0.9):
    points = np.float32([[x1, y1], [x2, y1], [x1, y2], [x2, y2], [x1, y1]])
    return Face(Box(x1, y1, x2, y2), score, Landmarks(points, "five_points"))


def widened(x1, y1, x2, y2, score=0.9):
    """Return a face at these pixels of the photo as it lies in the widened picture."""
    canvas = find([])[1][1]
    # The margin is the same on all sides, so it does not change the difference of the sides.
    scale = (canvas.width - canvas.height) / (WHOLE.width - WHOLE.height)
    margin = (canvas.width - WHOLE.width * scale) / 2
    return face(*(margin + edge * scale for edge in (x1, y1, x2, y2)), score)


def edges(found):
    return [(f.box.x1, f.box.y1, f.box.x2, f.box.y2) for f in found]


def test_sure_face_needs_no_second_look():
    found, seen = find([face(10, 10, 60, 60, SURE_FROM)])
    assert len(found) == len(seen) == 1


def test_widened_picture_is_small_and_has_the_photo_in_its_middle():
    _, (_, canvas) = find([])
    assert max(canvas.width, canvas.height) <= 256
    inside = canvas.pixels[canvas.height // 2, canvas.width // 2]
    assert inside.tolist() == [0, 0, 0]
    assert canvas.pixels[0, 0].tolist() == [114, 114, 114]


def test_face_that_fills_the_photo_comes_back_in_its_pixels():
    (found,), _ = find([], [widened(20, -30, 380, 330)])
    assert edges([found])[0] == pytest.approx((20, -30, 380, 330), abs=2)
    assert found.landmarks.points[0] == pytest.approx([20, -30], abs=2)


def test_small_face_of_the_second_look_does_not_count():
    found, _ = find([], [widened(20, 20, 110, 110)])
    assert found == ()


def test_surer_of_two_boxes_on_one_face_stays():
    part = face(100, 100, 200, 200, 0.4)
    (found,), _ = find([part], [widened(50, 20, 350, 290, 0.8)])
    assert found.score == 0.8
    better = face(100, 100, 200, 200, 0.59)
    (found,), _ = find([better], [widened(50, 20, 350, 290, 0.6)])
    assert found.score == 0.6


def test_unsure_face_of_the_second_look_does_not_count():
    assert find([], [widened(50, 20, 350, 290, 0.59)])[0] == ()


def test_unsure_face_elsewhere_is_kept():
    other = face(0, 0, 60, 60, 0.4)
    found, _ = find([other], [widened(100, 20, 400, 290, 0.8)])
    assert {each.score for each in found} == {0.4, 0.8}
