"""Photos that lie on their side or upside down."""

from __future__ import annotations

import numpy as np
import pytest

from core import Box, Face, Landmarks, RgbImage
from core.turning import find_turn

UPSIDE_DOWN = np.float32([1, -5, 20, -4])


def image(turned=0):
    return RgbImage(np.zeros((40, 60, 3), np.uint8), turned=turned)


def face(score=0.7):
    return Face(Box(10, 10, 40, 40), score)


def mesh(confidence, roll=0.0):
    """Return a mesh whose temples lie ``roll`` degrees from level."""
    points, depth = np.zeros((468, 2)), np.zeros(468)
    along = np.array([np.cos(np.radians(roll)), np.sin(np.radians(roll))])
    points[454], points[152] = along, [-along[1], along[0]]
    return Landmarks(points, "face_mesh_468", depth, confidence)


class Judge:
    """A landmark model that sees the same in every face."""

    def __init__(self, logits):
        self.logits = np.float32(logits)

    def judge_turns(self, _image, _face):
        return self.logits


def detect_at(found):
    """Return a detector that finds a face of the given score in an image turned so far."""
    return lambda image: [face(found[image.turned])] if image.turned in found else []


def turn(found, *, logits=(20, 0, 0, 0), faces=(), located=()):
    return find_turn(image(), faces, located, detect=detect_at(found), judge=Judge(logits))


def test_photo_without_a_face_takes_the_turn_with_the_surest():
    assert turn({90: 0.65, 180: 0.9, 270: 0.7}) == 180


def test_photo_without_a_face_stays_if_no_turn_shows_a_sure_one():
    assert turn({90: 0.59}) == 0


def test_photo_without_a_face_stays_if_the_mesh_sees_it_otherwise():
    assert turn({90: 0.9}, logits=(2, 3, 0, 0)) == 0


def test_turns_count_from_how_the_image_is_now():
    found = find_turn(image(90), (), (), detect=detect_at({180: 0.9}), judge=Judge((20, 0, 0, 0)))
    assert found == 90


def test_face_that_is_upside_down_turns_the_photo():
    assert turn({180: 0.9}, logits=UPSIDE_DOWN, faces=[face()], located=[mesh(1.0)]) == 180


def test_face_without_a_mesh_is_judged_as_well():
    assert turn({180: 0.9}, logits=UPSIDE_DOWN, faces=[face()], located=[None]) == 180


def test_face_that_the_turned_photo_shows_less_surely_stays():
    assert turn({180: 0.5}, logits=UPSIDE_DOWN, faces=[face(0.7)], located=[None]) == 0


def test_photo_stays_if_no_turn_shows_a_face():
    assert turn({}, logits=UPSIDE_DOWN, faces=[face()], located=[None]) == 0


def test_face_that_lies_on_its_side_turns_the_photo():
    lying, logits = mesh(20.0, roll=-80), (1, 20, 0, 0)
    assert turn({90: 0.9}, logits=logits, faces=[face()], located=[lying]) == 90
    tilted = mesh(20.0, roll=-50)
    assert turn({90: 0.9}, logits=logits, faces=[face()], located=[tilted]) == 0


def test_one_upright_face_keeps_the_photo():
    faces, located = [face(), face()], [mesh(1.0), mesh(19.0)]
    assert turn({180: 0.9}, logits=UPSIDE_DOWN, faces=faces, located=located) == 0


def test_face_that_may_be_upright_keeps_the_photo():
    assert turn({180: 0.7}, logits=(14, 0, 20, 0), faces=[face(0.7)], located=[None]) == 0


def test_without_a_mesh_only_photos_without_a_face_are_turned():
    found = detect_at({180: 0.9})
    assert find_turn(image(), [face()], [None], detect=found, judge=None) == 0
    assert find_turn(image(), (), (), detect=found, judge=None) == 180


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 360, -90])
def test_image_turns_clockwise(degrees):
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    turned = RgbImage(pixels).turn_to(degrees)
    assert np.array_equal(turned.pixels, np.rot90(pixels, -degrees // 90))
    assert turned.turned == degrees % 360
    assert np.array_equal(turned.turn_to(0).pixels, pixels)


def test_image_is_only_turned_by_quarters():
    with pytest.raises(ValueError, match="multiple of 90"):
        image().turn_to(45)


def test_turn_that_cannot_gain_enough_is_not_searched():
    def fail(_image):
        raise AssertionError("searched")

    for logits, score in ((9, 0, 0, 0), 0.9), ((5, 0, -2, 1), 0.88):
        arguments = (image(), [face(score)], [None])
        assert find_turn(*arguments, detect=fail, judge=Judge(logits)) == 0


def test_photo_whose_largest_face_is_tiny_stays():
    tiny = Face(Box(0, 0, 23, 40), 0.7)
    assert turn({180: 0.9}, logits=UPSIDE_DOWN, faces=[tiny], located=[None]) == 0
