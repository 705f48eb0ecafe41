"""The protocol that every registered detector meets, and the accuracy of the built-in ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import pytest

from core import AnalyzerConfig, Box, Device, Face, OperatingPoint, RgbImage
from core.config import PRESETS, Preset, get_settings
from core.detectors import DETECTORS
from core.detectors.mtcnn import MtcnnDetector
from core.detectors.tuning import find_tuned_threshold
from core.faces.boxes import box_iou
from tests.core.conftest import FACE_XYXY

BUILT_IN = ("hybrid", "mtcnn", "compact")
"""The detectors of this project; others keep the protocol but may find faces less well."""
SURE_FROM = {MtcnnDetector: 0.9}
"""The lowest score of a plain portrait; scores of different detectors cannot be compared."""


@cache
def load_detector(name):
    preset = find_preset(name)
    return DETECTORS.get(name)(
        settings=get_settings(preset, name),
        threshold=find_tuned_threshold(name, preset, OperatingPoint.BALANCED),
        device=Device.CPU,
        weights_dir=None,
    )


@pytest.fixture(scope="module", params=DETECTORS.names())
def detector(request):
    """Every registered detector, for the tests of the protocol."""
    return load_detector(request.param)


@pytest.fixture(scope="module", params=BUILT_IN)
def built_in(request):
    """Each detector of this project, for the tests of accuracy."""
    return load_detector(request.param)


def find_preset(name: str) -> Preset:
    """Return the preset that uses the detector; the default one if none does."""
    own = [preset for preset in Preset if PRESETS[preset].detector == name]
    return Preset.BALANCED if Preset.BALANCED in own or not own else own[0]


def plain(faces):
    return [
        (face.box, face.score, face.landmarks.points.tolist() if face.landmarks else [])
        for face in faces
    ]


@pytest.fixture(scope="module")
def group(astronaut):
    """Five astronauts of different sizes, with the boxes of their faces."""
    places = [(0, 68, 512), (512, 0, 300), (512, 300, 280), (812, 0, 360), (812, 360, 220)]
    pixels = np.zeros((580, 1172, 3), np.uint8)
    boxes = []
    for x, y, size in places:
        pixels[y : y + size, x : x + size] = cv2.resize(
            astronaut, (size, size), interpolation=cv2.INTER_AREA
        )
        x1, y1, x2, y2 = (edge * size / 512 for edge in FACE_XYXY)
        boxes.append(Box(x + x1, y + y1, x + x2, y + y2))
    return RgbImage(pixels), boxes


@pytest.fixture(scope="module")
def row(astronaut):
    """The five side by side, in a picture five times as wide as it is high."""
    sizes = [512, 180, 300, 240, 400]
    pixels = np.zeros((512, sum(sizes), 3), np.uint8)
    boxes, x = [], 0
    for size in sizes:
        pixels[512 - size :, x : x + size] = cv2.resize(
            astronaut, (size, size), interpolation=cv2.INTER_AREA
        )
        x1, y1, x2, y2 = (edge * size / 512 for edge in FACE_XYXY)
        boxes.append(Box(x + x1, 512 - size + y1, x + x2, 512 - size + y2))
        x += size
    return RgbImage(pixels), boxes


SHAPES_WH = [(1, 1), (1, 300), (300, 1), (23, 24), (24, 24), (25, 200), (4000, 10), (640, 480)]


@pytest.mark.parametrize("size_wh", SHAPES_WH)
def test_plain_picture_of_any_shape_gives_a_tuple_of_faces(detector, size_wh):
    faces = detector.detect(RgbImage(np.full((size_wh[1], size_wh[0], 3), 128, np.uint8)))
    assert isinstance(faces, tuple)
    assert all(isinstance(face, Face) for face in faces)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("size_wh", SHAPES_WH)
def test_plain_picture_of_any_shape_has_no_face(built_in, size_wh, value):
    pixels = np.full((size_wh[1], size_wh[0], 3), value, np.uint8)
    assert built_in.detect(RgbImage(pixels)) == ()


def test_face_is_found_with_points_inside(built_in, photo):
    (face,) = built_in.detect(photo)
    assert box_iou(face.box, Box(*FACE_XYXY)) > 0.7
    assert SURE_FROM.get(type(built_in), 0.5) < face.score <= 1
    if face.landmarks is not None:
        x, y = face.landmarks.points.T
        assert (face.box.x1 < x).all()
        assert (x < face.box.x2).all()
        assert (face.box.y1 < y).all()
        assert (y < face.box.y2).all()


@pytest.mark.parametrize("composed", ["group", "row"])
def test_several_faces_are_found_where_they_are(built_in, composed, request):
    image, boxes = request.getfixturevalue(composed)
    faces = built_in.detect(image)
    assert len(faces) == len(boxes)
    for box in boxes:
        assert max(box_iou(face.box, box) for face in faces) > 0.6


def test_scores_are_between_0_and_1(detector, group):
    for face in detector.detect(group[0]):
        assert 0 <= face.score <= 1
        assert type(face.score) is float


@pytest.mark.parametrize("size_wh", [(2000, 2000), (2600, 1300), (900, 1800)])
def test_boxes_are_in_coordinates_of_the_original_image(built_in, astronaut, size_wh):
    # A reduced copy is searched, but coordinates are those of the original picture.
    large = cv2.resize(astronaut, size_wh, interpolation=cv2.INTER_LINEAR)
    if size_wh[0] != size_wh[1]:
        side = min(size_wh)
        large = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
        large[-side:, -side:] = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_LINEAR)
    side = min(size_wh)
    move = np.array(size_wh) - side
    expected = np.array(FACE_XYXY) * side / 512 + np.tile(move, 2)
    (face,) = built_in.detect(RgbImage(large))
    assert box_iou(face.box, Box(*expected)) > 0.7
    if face.landmarks is not None:
        centre = face.landmarks.points.mean(axis=0)
        middle = [(expected[0] + expected[2]) / 2, (expected[1] + expected[3]) / 2]
        assert np.abs(centre - middle).max() < 0.15 * (expected[3] - expected[1])


def test_same_picture_twice_gives_the_same_answer(detector, photo):
    assert plain(detector.detect(photo)) == plain(detector.detect(photo))


def test_another_picture_in_between_does_not_change_the_answer(detector, photo, group):
    before = plain(detector.detect(photo))
    detector.detect(group[0])
    assert plain(detector.detect(photo)) == before


def test_picture_is_not_changed(detector, astronaut):
    image = RgbImage(astronaut)
    detector.detect(image)
    assert (image.pixels == astronaut).all()


@pytest.fixture(scope="module")
def small_portraits(astronaut):
    return [
        RgbImage(cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA))
        for side in (200, 230, 260, 290)
    ]


def test_small_portraits_show_a_face(built_in, small_portraits):
    assert all(built_in.detect(image) for image in small_portraits)


def test_eight_threads_get_the_same_answers(detector, small_portraits):
    images = small_portraits * 4
    alone = [plain(detector.detect(image)) for image in small_portraits]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(detector.detect, images))
    for index, faces in enumerate(together):
        for (box, score, points), (box1, score1, points1) in zip(
            plain(faces), alone[index % 4], strict=True
        ):
            # Threads may split sums differently; boxes agree to a hundredth of a pixel.
            assert np.abs(np.subtract(box_edges(box), box_edges(box1))).max() < 0.01
            assert score == pytest.approx(score1, abs=1e-4)
            assert np.allclose(points, points1, rtol=0, atol=0.01)


def box_edges(box):
    return [box.x1, box.y1, box.x2, box.y2]


def test_threshold_drops_faces_with_lower_scores(photo):
    for name in DETECTORS.names():
        settings = AnalyzerConfig(detector=name).settings
        strict = DETECTORS.get(name)(
            settings=settings, threshold=1.0, device=Device.CPU, weights_dir=None
        )
        assert all(face.score >= 1.0 for face in strict.detect(photo))
