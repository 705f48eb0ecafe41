"""Every reason is reported for a face that has it, and none for a good face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core import Box, Landmarks, RgbImage
from core.faces.quality import assess_quality, head_pose
from tests.core.conftest import FACE_XYXY
from tests.core.pipeline_parts import five_points

FACE = Box(*FACE_XYXY)
LEFT_TEMPLE, RIGHT_TEMPLE, FOREHEAD, CHIN = 234, 454, 10, 152


def mesh(yaw=0.0, pitch=0.0, roll=0.0):
    """Return a mesh of a head rotated by degrees, in this order: up, right, clockwise."""
    points = np.zeros((468, 3))  # x to the right, y down, z away from the viewer
    points[LEFT_TEMPLE], points[RIGHT_TEMPLE] = (-70, 0, 20), (70, 0, 20)
    points[FOREHEAD], points[CHIN] = (0, -90, 0), (0, 90, 0)
    a, b, c = np.deg2rad([pitch, yaw, roll])
    # The nose points to -z; looking up moves it to -y, turning right to +x.
    up = np.array([[1, 0, 0], [0, np.cos(a), np.sin(a)], [0, -np.sin(a), np.cos(a)]])
    right = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    clockwise = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    turned = points @ (clockwise @ right @ up).T
    return Landmarks(turned[:, :2], "face_mesh_468", turned[:, 2])


FRONTAL = mesh()


def judge(pixels, box=FACE, landmarks=FRONTAL):
    return assess_quality(RgbImage(np.ascontiguousarray(pixels, dtype=np.uint8)), box, landmarks)


def test_good_face_has_no_reasons(astronaut):
    quality = judge(astronaut)
    assert quality.reasons == ()
    assert quality.size_px == pytest.approx(89.1)
    assert 0.4 < quality.brightness < 0.8
    assert quality.contrast > 0.1
    assert quality.sharpness > 200


def test_dark_face_is_reported(astronaut):
    reasons = judge(astronaut * 0.25).reasons
    assert "The face is dark." in reasons
    assert "The face is blurred." not in reasons


def test_overexposed_face_is_reported(astronaut):
    assert judge(np.clip(astronaut * 0.4 + 175, 0, 255)).reasons == ("The face is overexposed.",)


def test_blurred_face_is_reported(astronaut):
    assert judge(cv2.GaussianBlur(astronaut, (9, 9), 0)).reasons == ("The face is blurred.",)


def test_face_without_contrast_is_reported(astronaut):
    flat = 120 + (astronaut.astype(float) - 150) * 0.3
    assert "The face has little contrast." in judge(flat).reasons


def test_small_face_is_reported(astronaut):
    small = cv2.resize(astronaut, (215, 215), interpolation=cv2.INTER_AREA)
    box = Box(*(edge * 215 / 512 for edge in FACE_XYXY))
    assert judge(small, box).reasons == ("The face is small (37 px); 40 px or more reads better.",)


@pytest.mark.parametrize("side", [19.6, 20.4, 38.5, 39.0, 39.6, 39.999])
def test_small_face_is_never_said_to_have_the_size_that_it_should_have(astronaut, side):
    (reason, *_) = judge(astronaut, Box(200, 80, 200 + side, 80 + side)).reasons
    assert reason.startswith(f"The face is small ({int(side)} px); 40 px or more")


@pytest.mark.parametrize("side", [40.0, 40.4])
def test_face_of_40_px_is_not_called_small(astronaut, side):
    reasons = judge(astronaut, Box(200, 80, 200 + side, 80 + side)).reasons
    assert not any("small" in reason for reason in reasons)


def test_tiny_face_is_reported_as_small_but_not_as_blurred(astronaut):
    tiny = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA)
    (reason,) = judge(tiny, Box(*(edge / 4 for edge in FACE_XYXY))).reasons
    assert reason.startswith("The face is small (22 px)")


@pytest.mark.parametrize("move", [(-190, 0), (0, -75)], ids=["left", "top"])
def test_face_cut_off_by_the_edge_is_reported(astronaut, move):
    box = Box(FACE.x1 + move[0], FACE.y1 + move[1], FACE.x2 + move[0], FACE.y2 + move[1])
    moved = np.roll(astronaut, move, axis=(1, 0))
    assert "The face is cut off by the edge of the picture." in judge(moved, box).reasons


def test_box_slightly_beyond_the_edge_is_not_reported(astronaut):
    cropped = astronaut[:, 182:]
    box = Box(FACE.x1 - 182, FACE.y1, FACE.x2 - 182, FACE.y2)
    assert judge(cropped, box).reasons == ()


@pytest.mark.parametrize(
    ("angles", "reason"),
    [
        ({"yaw": 50}, "The face is turned to the side."),
        ({"yaw": -50}, "The face is turned to the side."),
        ({"pitch": 45}, "The face looks far up or down."),
        ({"pitch": -45}, "The face looks far up or down."),
    ],
)
def test_turned_face_is_reported(astronaut, angles, reason):
    assert judge(astronaut, landmarks=mesh(**angles)).reasons == (reason,)


@pytest.mark.parametrize("angles", [{"yaw": 25}, {"pitch": -20}, {"roll": 40}])
def test_slightly_turned_face_is_not_reported(astronaut, angles):
    assert judge(astronaut, landmarks=mesh(**angles)).reasons == ()


def test_face_without_landmarks_is_reported(astronaut):
    quality = judge(astronaut, landmarks=None)
    assert quality.reasons == ("Eyes and mouth could not be located; the face may be covered.",)
    assert (quality.yaw, quality.pitch, quality.roll) == (None, None, None)


@pytest.mark.parametrize("size", [1, 2, 5000])
def test_quality_is_the_same_at_any_face_size(size):
    pixels = np.full((min(size, 600), min(size, 600), 3), 100, np.uint8)
    quality = judge(pixels, Box(0, 0, size, size))
    assert (quality.sharpness, quality.contrast) == (0, 0)
    assert quality.brightness == pytest.approx(100 / 255, abs=0.01)


def test_box_outside_the_picture_does_not_fail():
    quality = judge(np.full((20, 20, 3), 100, np.uint8), Box(50, 50, 90, 90))
    assert "The face is cut off by the edge of the picture." in quality.reasons


def test_sharpness_does_not_depend_on_the_light(astronaut):
    dark = judge(astronaut * 0.3).sharpness
    assert dark == pytest.approx(judge(astronaut).sharpness, rel=0.1)


def test_sharpness_does_not_depend_on_the_size_of_the_photo(astronaut):
    large = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    twice = judge(large, Box(*(2 * edge for edge in FACE_XYXY))).sharpness
    assert twice == pytest.approx(judge(astronaut).sharpness, rel=0.2)


@pytest.mark.parametrize("angle", [-40, -10, 0, 25, 60])
@pytest.mark.parametrize("which", ["yaw", "pitch", "roll"])
def test_head_pose_has_the_documented_sign(which, angle):
    found = dict(zip(("yaw", "pitch", "roll"), head_pose(mesh(**{which: angle})), strict=True))
    expected = {"yaw": 0, "pitch": 0, "roll": 0} | {which: angle}
    assert found == pytest.approx(expected, abs=1e-4)


def test_five_points_give_only_the_roll():
    turn = np.deg2rad(20)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    turned = Landmarks(five_points().points @ rotation.T, "five_points")
    yaw, pitch, roll = head_pose(turned)
    assert (yaw, pitch) == (None, None)
    assert roll == pytest.approx(20 + np.rad2deg(np.arctan2(-0.2, 17.8)), abs=0.01)


def test_mesh_without_extent_has_no_pose():
    assert head_pose(Landmarks(np.zeros((468, 2)), "face_mesh_468", np.zeros(468, np.float32))) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    "landmarks", [None, mesh(yaw=40), mesh(yaw=-40), mesh(pitch=45)], ids=["none", "r", "l", "up"]
)
def test_face_that_no_certain_answer_fits_is_unreadable(astronaut, landmarks):
    quality = judge(astronaut, landmarks=landmarks)
    assert quality.unreadable in quality.reasons


def test_face_below_20_px_is_unreadable(astronaut):
    tiny = cv2.resize(astronaut, (102, 102), interpolation=cv2.INTER_AREA)
    quality = judge(tiny, Box(*(edge / 5 for edge in FACE_XYXY)))
    assert quality.unreadable == "The face is small (17 px); 40 px or more reads better."


def test_other_reasons_leave_a_face_readable(astronaut):
    dark = judge(astronaut * 0.25, landmarks=mesh(pitch=35))
    assert {"The face is dark.", "The face looks far up or down."} < set(dark.reasons)
    assert dark.unreadable is None
