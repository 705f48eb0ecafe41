"""Types between the stages check their shapes and are immutable."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import EMOTIONS, Box, Emotion, EmotionScores, Landmarks, RgbImage, read_image
from tests.core.pipeline_parts import scores
from tests.fakes import FakeAnalyzer


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 5), np.uint8),
        np.zeros((4, 5, 4), np.uint8),
        np.zeros((1, 4, 5, 3), np.uint8),
        np.zeros((4, 5, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
    ],
    ids=["grey", "alpha", "batch", "float", "no rows", "no columns"],
)
def test_pixels_of_another_shape_or_type_are_refused(pixels):
    with pytest.raises(ValueError, match=r"expected uint8 pixels of shape \(H, W, 3\)"):
        RgbImage(pixels)


def test_pixels_are_read_only_and_the_caller_s_array_stays_writeable():
    pixels = np.zeros((2, 3, 3), np.uint8)
    image = RgbImage(pixels)
    pixels[0, 0] = 255
    assert image.pixels[0, 0].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.name = "other"


def test_array_in_either_order_becomes_an_image_of_its_own():
    pixels = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    for order, expected in (("rgb", [1, 2, 3]), ("bgr", [3, 2, 1])):
        image = RgbImage.from_array(pixels, order, name="frame")
        assert (image.pixels[0, 0].tolist(), image.name) == (expected, "frame")
        assert not np.shares_memory(image.pixels, pixels)


@pytest.mark.parametrize(
    ("pixels", "order", "error", "message"),
    [
        ("photo.jpg", "rgb", TypeError, "NumPy array, got str"),
        (np.zeros((4, 4, 3), np.uint8), "hsv", ValueError, "'rgb' or 'bgr', got 'hsv'"),
        (np.zeros((4, 4, 3), np.float32), "rgb", ValueError, "uint8 pixels in 0..255, got float32"),
        (np.zeros((4, 4, 4), np.uint8), "rgb", ValueError, r"shape \(H, W, 3\)"),
        (np.zeros((4, 4), np.uint8), "bgr", ValueError, r"shape \(H, W, 3\)"),
    ],
)
def test_array_that_is_no_image_is_refused_in_words(pixels, order, error, message):
    with pytest.raises(error, match=message):
        RgbImage.from_array(pixels, order)


def test_pillow_image_is_read_as_its_file_would_be(astronaut):
    picture = Image.fromarray(astronaut[:60, :80]).convert("RGBA")
    picture.putalpha(100)
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "PNG", exif=exif)
    image = RgbImage.from_pil(Image.open(file), name="a")
    assert (image.width, image.height, image.name) == (60, 80, "a")
    assert np.array_equal(image.pixels, read_image(file.getvalue()).pixels)
    with pytest.raises(TypeError, match="Pillow image, got str"):
        RgbImage.from_pil("photo.jpg")


@pytest.mark.parametrize("given", ["photo.jpg", Path("photo.jpg"), np.zeros((4, 4, 3), np.uint8)])
def test_analyzer_says_what_it_wants_instead_of_a_path_or_an_array(given):
    with pytest.raises(TypeError, match=r"expected an RgbImage, got .*read_image.*from_array"):
        FakeAnalyzer().analyze(given)


def test_read_only_pixels_are_not_copied():
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels.setflags(write=False)
    assert RgbImage(pixels).pixels is pixels


def test_mirrored_view_becomes_contiguous():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    pixels.setflags(write=False)
    image = RgbImage(pixels[:, ::-1])
    assert image.pixels.flags.c_contiguous
    assert (image.pixels == pixels[:, ::-1]).all()


def test_width_and_height_are_not_swapped():
    image = RgbImage(np.zeros((2, 3, 3), np.uint8))
    assert (image.width, image.height) == (3, 2)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(0, 0, 0, 0), Box(0, 0, 0, 0)),
        (Box(1, 2, 3, 4), Box(1, 2, 3, 4)),
        (Box(-5, -6, 30, 40), Box(0, 0, 20, 10)),
        (Box(25, 3, 30, 5), Box(20, 3, 20, 5)),
        (Box(-9, -9, -1, -1), Box(0, 0, 0, 0)),
    ],
    ids=["empty", "inside", "larger", "to the right", "to the upper left"],
)
def test_box_is_clamped_to_the_picture(box, expected):
    assert box.clip(20, 10) == expected


def test_clamped_edges_are_floats():
    edges = dataclasses.astuple(Box(-1.5, -1.5, 99.5, 99.5).clip(20, 10))
    assert edges == (0.0, 0.0, 20.0, 10.0)
    assert {type(edge) for edge in edges} == {float}


def test_box_with_swapped_corners_has_no_area():
    box = Box(5, 5, 1, 9)
    assert (box.width, box.height, box.area) == (0, 4, 0)


def test_landmarks_are_copied_and_read_only():
    points = np.zeros((5, 2), np.float32)
    depth = np.zeros(5, np.float32)
    landmarks = Landmarks(points, "five_points", depth)
    points[0] = 9
    depth[0] = 9
    assert landmarks.points.max() == 0
    assert landmarks.depth.max() == 0
    for array in (landmarks.points, landmarks.depth):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize("shape", [(5,), (5, 3), (1, 5, 2)])
def test_landmarks_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected points of shape \(N, 2\)"):
        Landmarks(np.zeros(shape, np.float32), "five_points")


def test_depth_has_one_value_per_point():
    with pytest.raises(ValueError, match="expected depth of shape"):
        Landmarks(np.zeros((5, 2), np.float32), "five_points", np.zeros(4, np.float32))


@pytest.mark.parametrize(
    "probabilities",
    [
        (),
        (1.0,),
        (0.2,) * 7,
        (float("nan"),) * 7,
        (1.0, *(float("nan"),) * 6),
        (1.5, -0.5, 0, 0, 0, 0, 0),
    ],
    ids=["none", "one", "too much", "NaN", "partly NaN", "negative"],
)
def test_impossible_probabilities_are_refused(probabilities):
    with pytest.raises(ValueError, match="expected"):
        EmotionScores(probabilities)


def test_emotions_are_ranked_most_probable_first():
    answer = scores(angry=0.1, sad=0.6, neutral=0.3)
    ranked = answer.ranked()
    assert [emotion for emotion, _ in ranked[:3]] == [
        Emotion.SAD,
        Emotion.NEUTRAL,
        Emotion.ANGRY,
    ]
    assert sorted(emotion for emotion, _ in ranked) == sorted(EMOTIONS)
    assert answer.top is Emotion.SAD
    assert answer.margin == pytest.approx(0.3)
    assert answer[Emotion.NEUTRAL] == 0.3


def test_equal_probabilities_keep_the_canonical_order():
    answer = scores(happy=0.5, fear=0.5)
    assert answer.top is Emotion.FEAR
    assert answer.margin == 0


@pytest.mark.parametrize(
    ("certain_from", "certain"), [(0.0, True), (0.6, True), (0.6000001, False), (1.0, False)]
)
def test_answer_is_certain_if_it_reaches_the_level(certain_from, certain):
    assert scores(certain_from, happy=0.6, sad=0.4).certain is certain
