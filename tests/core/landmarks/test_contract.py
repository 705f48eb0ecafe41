"""The protocol that every registered landmark model meets; the accuracy of the built-in ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import pytest

from core import Box, Face, RgbImage
from core.landmarks import LANDMARK_MODELS
from core.landmarks.anchors import anchor_points
from tests.core.conftest import FACE_XYXY
from tests.core.pipeline_parts import five_points

BUILT_IN = ("face_mesh", "five_points")
"""The landmark models of this project; others keep the protocol but may be less accurate."""
# Eyes and mouth of the astronaut as both MTCNN and the face mesh see them, to a few pixels.
ANCHORS = np.float32([[203.5, 101.0], [247.3, 103.8], [224.0, 141.0]])


@cache
def load_model(name):
    return LANDMARK_MODELS.get(name)()


@pytest.fixture(scope="module", params=LANDMARK_MODELS.names())
def model(request):
    """Every registered landmark model, for the tests of the protocol."""
    return load_model(request.param)


@pytest.fixture(scope="module", params=BUILT_IN)
def built_in(request):
    """Each landmark model of this project, for the tests of accuracy."""
    return load_model(request.param)


def face_at(x=0.0, y=0.0, scale=1.0):
    """Return the astronaut's face with MTCNN's five points, moved and scaled."""
    x1, y1, x2, y2 = (edge * scale for edge in FACE_XYXY)
    five = np.float32([[204, 100], [247, 104], [225, 129], [203, 140], [246, 142]]) * scale
    landmarks = five_points()
    landmarks = type(landmarks)(five + np.float32([x, y]), "five_points")
    return Face(Box(x1 + x, y1 + y, x2 + x, y2 + y), 1.0, landmarks)


def beside(astronaut, *scales, cut=(120, 20, 340, 220)):
    """Return astronauts side by side, each cropped closely and scaled, and their faces."""
    x1, y1, x2, y2 = cut
    tile = astronaut[y1:y2, x1:x2]
    tiles, faces, x = [], [], 0
    for scale in scales:
        size_wh = (round(tile.shape[1] * scale), round(tile.shape[0] * scale))
        resized = cv2.resize(tile, size_wh, interpolation=cv2.INTER_AREA)
        tiles.append(resized)
        faces.append(face_at(x - x1 * scale, -y1 * scale, scale))
        x += size_wh[0]
    pixels = np.zeros((max(each.shape[0] for each in tiles), x, 3), np.uint8)
    x = 0
    for each in tiles:
        pixels[: each.shape[0], x : x + each.shape[1]] = each
        x += each.shape[1]
    return RgbImage(pixels), faces


def plain(located):
    return [None if each is None else each.points.tolist() for each in located]


def inside(landmarks, box):
    """Return whether the mean of the points is in the middle half of the box."""
    x, y = anchor_points(landmarks).mean(axis=0)
    return (
        box.x1 + box.width / 4 < x < box.x2 - box.width / 4
        and box.y1 + box.height / 4 < y < box.y2 - box.height / 4
    )


def test_no_faces_have_no_landmarks(model, photo):
    assert model.locate(photo, []) == ()


def test_points_lie_on_eyes_and_mouth(built_in, photo):
    (found,) = built_in.locate(photo, [face_at()])
    assert np.abs(anchor_points(found) - ANCHORS).max() < 5


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_points_are_in_image_pixels_at_any_size(built_in, astronaut, scale):
    side = round(512 * scale)
    image = RgbImage(cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA))
    (found,) = built_in.locate(image, [face_at(scale=side / 512)])
    assert np.abs(anchor_points(found) / (side / 512) - ANCHORS).max() < 5


def test_order_and_count_are_kept(model, astronaut):
    image, faces = beside(astronaut, 1.0, 0.6, 1.5)
    forward = model.locate(image, faces)
    backward = model.locate(image, faces[::-1])
    assert len(forward) == 3
    assert plain(forward) == plain(backward[::-1])


def test_points_of_several_faces_lie_in_their_boxes(built_in, astronaut):
    image, faces = beside(astronaut, 1.0, 0.6, 1.5)
    for found, face in zip(built_in.locate(image, faces), faces, strict=True):
        assert inside(found, face.box)


def test_face_given_twice_gets_landmarks_twice(model, photo):
    one, other = plain(model.locate(photo, [face_at(), face_at()]))
    assert one == other


def test_neighbours_are_not_swapped(built_in, astronaut):
    # So close that the crop around each face shows half of the other.
    image, faces = beside(astronaut, 1.0, 1.0, 1.0, cut=(165, 30, 285, 215))
    for found, face in zip(built_in.locate(image, faces), faces, strict=True):
        assert found is not None
        assert inside(found, face.box)


@pytest.mark.parametrize(
    "cut", [(180, 20, 400, 300), (0, 20, 266, 300), (100, 62, 400, 300), (100, 0, 400, 174)]
)
def test_face_at_the_border_gets_landmarks(built_in, astronaut, cut):
    x1, y1, x2, y2 = cut
    image = RgbImage(astronaut[y1:y2, x1:x2])
    (found,) = built_in.locate(image, [face_at(-x1, -y1)])
    assert np.abs(anchor_points(found) - (ANCHORS - np.float32([x1, y1]))).max() < 8


BOXES_WITHOUT_FACE = {
    "empty": Box(5, 5, 5, 5),
    "upper left": Box(-900, -900, -800, -800),
    "lower right": Box(900, 900, 1000, 1000),
    "a pixel": Box(0, 0, 1, 1),
    "everything": Box(-4000, -4000, 9000, 9000),
    "no face": Box(400, 400, 500, 500),
}


@pytest.mark.parametrize("box", BOXES_WITHOUT_FACE.values(), ids=BOXES_WITHOUT_FACE)
def test_box_without_a_face_does_not_fail(model, photo, box):
    (found,) = model.locate(photo, [Face(box, 0.9)])
    assert found is None or np.isfinite(found.points).all()


@pytest.mark.parametrize("box", BOXES_WITHOUT_FACE.values(), ids=BOXES_WITHOUT_FACE)
def test_box_without_a_face_has_no_landmarks(built_in, photo, box):
    assert built_in.locate(photo, [Face(box, 0.9)]) == (None,)


ONE_PIXEL = RgbImage(np.zeros((1, 1, 3), np.uint8))


def test_picture_of_one_pixel_does_not_fail(model):
    (found,) = model.locate(ONE_PIXEL, [Face(Box(0, 0, 1, 1), 0.5)])
    assert found is None or np.isfinite(found.points).all()


def test_picture_of_one_pixel_has_no_landmarks(built_in):
    assert built_in.locate(ONE_PIXEL, [Face(Box(0, 0, 1, 1), 0.5)]) == (None,)


def test_same_picture_twice_gives_the_same_points(model, photo, astronaut):
    first = plain(model.locate(photo, [face_at()]))
    image, faces = beside(astronaut, 0.8, 1.2)
    model.locate(image, faces)
    assert plain(model.locate(photo, [face_at()])) == first


def test_inputs_are_not_changed(model, astronaut):
    image, face = RgbImage(astronaut), face_at()
    points = face.landmarks.points.copy()
    model.locate(image, [face])
    assert (image.pixels == astronaut).all()
    assert (face.landmarks.points == points).all()


def test_closely_cropped_portraits_get_landmarks(built_in, astronaut):
    for scale in (0.6, 0.9, 1.2, 1.5):
        assert None not in built_in.locate(*beside(astronaut, scale))


def test_eight_threads_get_the_same_answers(model, astronaut):
    given = [beside(astronaut, scale) for scale in (0.6, 0.9, 1.2, 1.5)] * 6
    alone = [plain(model.locate(*each)) for each in given[:4]]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda each: plain(model.locate(*each)), given))
    assert together == alone * 6
