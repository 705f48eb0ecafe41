"""Faces made unrecognisable."""

from __future__ import annotations

import numpy as np
import pytest

from core import Box, RgbImage, blur_faces
from core.output.blur import BLOCKS
from tests.core.pipeline_parts import face_analysis, image_analysis, scores


def noise(width=200, height=160):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return RgbImage(pixels, "noise.png", ("A note.",))


def blur(image, *boxes, **options):
    faces = [face_analysis(n + 1, box, **options) for n, box in enumerate(boxes)]
    return blur_faces(image, image_analysis(*faces, size_wh=(image.width, image.height)))


def test_picture_without_faces_is_not_changed():
    image = noise()
    made = blur(image)
    np.testing.assert_array_equal(made.pixels, image.pixels)
    assert (made.name, made.notes) == (image.name, image.notes)


def test_few_averages_are_all_that_is_left_of_a_face():
    image, box = noise(), Box(60, 40, 120, 110)
    before = image.pixels.copy()
    made = blur(image, box)
    inside = made.pixels[45:105, 65:115].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) <= BLOCKS**2
    assert (made.pixels[45:105, 65:115] != image.pixels[45:105, 65:115]).any(axis=2).mean() > 0.99
    np.testing.assert_array_equal(image.pixels, before)


def test_pictures_that_differ_only_within_a_block_give_the_same_result():
    box = Box(50, 50, 90, 90)  # with its margin 60 px: blocks of 15, the first from 40 on
    one, other = (np.full((160, 200, 3), 100, np.uint8) for _ in range(2))
    one[61, 62], one[62, 61] = 180, 20
    other[61, 62], other[62, 61] = 20, 180
    made = [blur(RgbImage(each), box).pixels for each in (one, other)]
    np.testing.assert_array_equal(*made)


def test_nothing_changes_outside_the_margin():
    image = noise()
    made = blur(image, Box(60, 40, 120, 110))
    outside = np.ones(image.pixels.shape[:2], bool)
    outside[40 - 18 : 110 + 18, 60 - 15 : 120 + 15] = False
    np.testing.assert_array_equal(made.pixels[outside], image.pixels[outside])


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 40, 50),
        Box(170, 120, 200, 160),
        Box(0, 0, 200, 160),
        Box(10, 10, 11, 11),
        Box(30.4, 20.6, 70.5, 71.2),
    ],
)
def test_whole_box_is_covered_anywhere_in_the_picture(box):
    image = noise()
    made = blur(image, box)
    # The middle half of the box: an oval leaves the corners.
    x = slice(int(box.x1 + box.width / 4), max(int(box.x2 - box.width / 4), int(box.x1) + 1))
    y = slice(int(box.y1 + box.height / 4), max(int(box.y2 - box.height / 4), int(box.y1) + 1))
    assert len(np.unique(made.pixels[y, x].reshape(-1, 3), axis=0)) <= BLOCKS**2


def test_overlapping_faces_are_both_covered():
    image = noise()
    made = blur(image, Box(40, 40, 100, 100), Box(80, 40, 140, 100))
    for x in (slice(50, 75), slice(105, 130)):
        assert len(np.unique(made.pixels[50:90, x].reshape(-1, 3), axis=0)) <= BLOCKS**2


def test_unsure_face_is_covered_too():
    image = noise()
    unsure = scores(certain_from=0.9, happy=0.5, sad=0.5)
    made = blur(image, Box(60, 40, 120, 110), emotions=unsure)
    assert (made.pixels[60:90, 80:100] != image.pixels[60:90, 80:100]).any()
