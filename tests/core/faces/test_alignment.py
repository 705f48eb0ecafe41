"""Faces are aligned to FER-2013's frame at any size, rotation and position."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core import Box, RgbImage
from core.faces.alignment import (
    CROP_PX,
    FaceFrame,
    crop_face,
    matrix_from_anchors,
    matrix_from_box,
    to_pixel_centres,
)

FRAME = FaceFrame()
BACKGROUND = 40


def mapped(matrix, points):
    return np.asarray(points) @ matrix[:, :2].T + matrix[:, 2]


def placed(scale, angle, at):
    """Return the (2, 3) similarity from the crop to a photo, and its inverse."""
    turn = np.deg2rad(angle)
    forward = np.array(
        [
            [scale * np.cos(turn), -scale * np.sin(turn), 0.0],
            [scale * np.sin(turn), scale * np.cos(turn), 0.0],
        ]
    )
    forward[:, 2] = np.array(at) - forward[:, :2] @ [CROP_PX / 2, CROP_PX / 2]
    return forward, cv2.invertAffineTransform(forward)


def with_dot(image_wh, at, radius):
    """Return a picture with one bright dot whose centre of mass is exactly ``at``."""
    x, y = np.meshgrid(np.arange(image_wh[0]) + 0.5, np.arange(image_wh[1]) + 0.5)
    distance = np.hypot(x - at[0], y - at[1])
    grey = BACKGROUND + 200 * np.clip(radius + 0.5 - distance, 0, 1)
    return RgbImage(np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2))


def centre_of_mass(crop):
    weight = crop.astype(float) - BACKGROUND
    rows, columns = np.indices(crop.shape) + 0.5
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


@pytest.mark.parametrize("angle", [0, 17, -90, 180])
@pytest.mark.parametrize(
    # Several factors by which a crop is averaged down, and enlargement.
    "scale",
    [0.5, 1.0, 1.01, 2.0, 2.9, 5.0, 9.7],
)
@pytest.mark.parametrize("anchor", range(3), ids=["left eye", "right eye", "mouth"])
def test_anchors_land_on_the_frame(scale, angle, anchor):
    size = int(60 * max(scale, 1)) + 40
    forward, _ = placed(scale, angle, (size / 2 + 3.3, size / 2 - 2.7))
    anchors = mapped(forward, FRAME.anchors)
    matrix = matrix_from_anchors(anchors.astype(np.float32), FRAME)
    image = with_dot((size, size), anchors[anchor], radius=2 * max(scale, 1))
    landed = centre_of_mass(crop_face(image, matrix).pixels)
    # Sampling may err by a tenth of a pixel; half a pixel would be a bug.
    assert landed == pytest.approx(FRAME.anchors[anchor], abs=0.15)


def test_anchors_of_the_largest_faces_land_on_the_frame():
    # 40 px of the photo per pixel of the crop, more than the largest averaging factor of 32.
    forward, _ = placed(40.0, 5, (1000, 1000))
    anchors = mapped(forward, FRAME.anchors)
    matrix = matrix_from_anchors(anchors.astype(np.float32), FRAME)
    image = with_dot((2000, 2000), anchors[2], radius=80)
    assert centre_of_mass(crop_face(image, matrix).pixels) == pytest.approx(
        FRAME.anchors[2], abs=0.15
    )


@pytest.mark.parametrize("side", [24, 48, 96, 480, 2000])
def test_crop_from_a_square_box_shows_exactly_its_inside(side):
    pixels = np.full((side + 40, side + 60, 3), 255, np.uint8)
    pixels[20 : 20 + side, 30 : 30 + side] = 90
    crop = crop_face(RgbImage(pixels), matrix_from_box(Box(30, 20, 30 + side, 20 + side)))
    inner = crop.pixels if side >= CROP_PX else crop.pixels[2:-2, 2:-2]
    assert (inner == 90).all()


def test_upright_box_is_cropped_as_a_square_of_its_mean_side():
    matrix = matrix_from_box(Box(100, 50, 200, 190))
    assert mapped(matrix, [150, 120]) == pytest.approx([24, 24])
    assert matrix[0, 0] == matrix[1, 1] == pytest.approx(48 / 120)


def test_box_without_area_still_has_a_crop():
    image = RgbImage(np.full((10, 10, 3), 70, np.uint8))
    assert (crop_face(image, matrix_from_box(Box(5, 5, 5, 5))).pixels == 70).all()


def test_crop_is_grey_small_and_read_only(photo):
    crop = crop_face(photo, matrix_from_box(Box(179, 60, 268, 176)))
    assert (crop.pixels.shape, crop.pixels.dtype) == ((48, 48), np.uint8)
    with pytest.raises(ValueError, match="read-only"):
        crop.pixels[0, 0] = 1


def test_crop_equals_area_averaging(astronaut):
    # 96 px wide at an even position: equals averaging 2 x 2 pixels, to one grey level.
    region = astronaut[60:156, 180:276]
    grey = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY).astype(float)
    expected = grey.reshape(48, 2, 48, 2).mean(axis=(1, 3))
    crop = crop_face(RgbImage(astronaut), matrix_from_box(Box(180, 60, 276, 156)))
    assert np.abs(crop.pixels - expected).max() <= 1


def test_face_already_on_the_frame_is_unchanged():
    grey = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    matrix = matrix_from_anchors(FaceFrame().anchors, FaceFrame())
    # Least squares give a scale slightly below one.
    for scale in (1.0, 0.9999999):
        crop = crop_face(RgbImage(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)), matrix * scale)
        np.testing.assert_allclose(crop.pixels.astype(int), grey, atol=1)


def test_rotated_photo_gives_the_same_crop(astronaut):
    anchors = np.float32([[203, 101], [247, 104], [224, 141]])
    upright = crop_face(RgbImage(astronaut), matrix_from_anchors(anchors, FRAME)).pixels
    turn = cv2.getRotationMatrix2D((223, 118), 30, 1.5)
    turned = cv2.warpAffine(astronaut, turn, (512, 512), flags=cv2.INTER_CUBIC)
    moved = mapped(turn, anchors - 0.5) + 0.5
    again = crop_face(RgbImage(turned), matrix_from_anchors(moved.astype(np.float32), FRAME)).pixels
    assert np.abs(again.astype(int) - upright).mean() < 3


def test_border_is_repeated_beyond_the_picture():
    pixels = np.zeros((50, 50, 3), np.uint8)
    pixels[:, :25] = 200
    crop = crop_face(RgbImage(pixels), matrix_from_box(Box(-48, 0, 0, 48))).pixels
    assert (crop == 200).all()
    half = crop_face(RgbImage(pixels), matrix_from_box(Box(26, 1, 74, 49))).pixels
    assert (half == 0).all()


@pytest.mark.parametrize("at", [(-5000, 20), (20, 5000), (9000, -9000)])
def test_face_outside_the_picture_shows_the_nearest_border(at):
    image = RgbImage(np.full((50, 60, 3), 33, np.uint8))
    crop = crop_face(image, matrix_from_box(Box(*at, at[0] + 100, at[1] + 100)))
    assert (crop.pixels == 33).all()


@pytest.mark.parametrize("size_wh", [(1, 1), (4096, 1), (1, 4096), (10, 4000)])
def test_pictures_of_odd_sizes_can_be_cropped(size_wh):
    image = RgbImage(np.full((size_wh[1], size_wh[0], 3), 120, np.uint8))
    box = Box(0, 0, *map(float, size_wh))
    assert (crop_face(image, matrix_from_box(box)).pixels == 120).all()


@pytest.mark.parametrize(
    "anchors",
    [
        np.zeros((3, 2)),
        np.full((3, 2), 77.3),
        np.array([[10, 10], [10.4, 10.2], [10.1, 10.5]]),
        np.array([[10, 10], [np.nan, 10], [15, 20]]),
        np.array([[10, 10], [np.inf, 10], [15, 20]]),
        # Mirrored: no rotation and no shift maps them onto the frame.
        FRAME.anchors * [-1, 1],
        FRAME.anchors * [1, -1] * 30,
    ],
    ids=["zeros", "one point", "within a pixel", "NaN", "infinite", "mirrored", "upside down"],
)
def test_unusable_anchors_have_no_matrix(anchors):
    assert matrix_from_anchors(anchors.astype(np.float32), FRAME) is None


def test_points_on_a_line_as_in_a_profile_have_a_matrix():
    matrix = matrix_from_anchors(np.float32([[100, 100], [100, 100], [103, 140]]), FRAME)
    assert np.isfinite(matrix).all()
    assert mapped(matrix, [101.5, 115]) == pytest.approx([24, 24], abs=4)


def test_matrix_is_a_similarity_that_can_be_inverted():
    forward, back = placed(3.7, 21, (310, 140))
    matrix = matrix_from_anchors(mapped(forward, FRAME.anchors).astype(np.float32), FRAME)
    assert matrix.shape == (2, 3)
    assert matrix == pytest.approx(back, abs=1e-4)
    inverse = cv2.invertAffineTransform(matrix)
    points = np.array([[0, 0], [48, 0], [13, 31]])
    assert mapped(matrix, mapped(inverse, points)) == pytest.approx(points, abs=1e-6)


def test_frame_survives_json():
    entry = {"left_eye": [1, 2], "right_eye": [3.5, 4], "mouth": [5, 6]}
    frame = FaceFrame.from_json(entry)
    assert frame.anchors.tolist() == [[1, 2], [3.5, 4], [5, 6]]
    assert frame.anchors.dtype == np.float32


def test_matrix_for_pixel_centres_maps_the_same_points():
    _, matrix = placed(2.5, 33, (70, 80))
    centred = to_pixel_centres(matrix)
    # The centre of pixel (7, 9) is (7.5, 9.5); for cv2 it is (7, 9).
    assert mapped(centred, [7, 9]) == pytest.approx(mapped(matrix, [7.5, 9.5]) - 0.5)
