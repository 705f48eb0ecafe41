"""Details of the face mesh: depth, the cropped square, neighbours in it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core import Box, Face, Landmarks, RgbImage
from core.landmarks.anchors import anchor_points
from core.landmarks.face_mesh import FaceMeshLandmarks, crop_square
from core.landmarks.mesh_networks import Mesh
from tests.core.conftest import FACE_XYXY


def found_at(x, y):
    """Return a mesh with all points at (x, y) of the square and a quarter of its side deep."""
    return Mesh(np.tile(np.float32([256 * x, 256 * y, 64]), (468, 1)), 9.0)


NO_FACE = Mesh(np.zeros((468, 3), np.float32), -1.0)


class FixedMeshes:
    """Networks that find the given meshes."""

    def __init__(self, *faces):
        self.answer = list(faces)
        self.view = None

    def find_mesh_in(self, square, view):
        self.view = view
        return self.answer[0] if self.answer else NO_FACE

    def find_meshes(self, square):
        assert square.shape == (256, 256, 3)
        assert square.dtype == np.uint8
        assert square.flags.c_contiguous
        return self.answer


def locate(*faces, box=None):
    image = RgbImage(np.zeros((400, 600, 3), np.uint8))
    model = FaceMeshLandmarks(FixedMeshes(*faces))
    return model.locate(image, [Face(box or Box(200, 100, 300, 200), 1.0)])[0]


def test_points_of_the_square_become_pixels_of_the_photo():
    # The square is 170 px wide around (250, 150); its corner lies at (165, 65).
    landmarks = locate(found_at(0.5, 0.5))
    assert landmarks.scheme == "face_mesh_468"
    assert landmarks.points.shape == (468, 2)
    assert landmarks.points[0] == pytest.approx([250, 150])
    assert landmarks.depth.shape == (468,)
    assert landmarks.depth[0] == pytest.approx(0.25 * 170)


def test_mesh_nearest_to_the_box_is_chosen():
    landmarks = locate(found_at(0.9, 0.5), found_at(0.55, 0.45))
    assert landmarks.points[0] == pytest.approx([165 + 0.55 * 170, 65 + 0.45 * 170])


def test_mesh_of_a_neighbour_is_not_used():
    assert locate(found_at(0.9, 0.5)) is None


def test_no_mesh_gives_none():
    assert locate() is None


@pytest.mark.parametrize(
    "box", [Box(200, 100, 300, 200), Box(-40, -30, 60, 70), Box(560, 350, 640, 450)]
)
def test_square_shows_the_box_in_its_middle(box):
    rows, columns = np.indices((400, 600))
    pixels = np.stack([columns // 3, rows // 2, np.zeros_like(rows)], axis=2).astype(np.uint8)
    square, offset, scale = crop_square(RgbImage(pixels), box)
    assert scale * 256 == pytest.approx(1.7 * max(box.width, box.height), abs=1)
    for x, y in ((128, 128), (60, 200), (200, 60)):
        image_x, image_y = offset + (np.array([x, y]) + 0.5) * scale
        expected = [np.clip(image_x, 0, 599) // 3, np.clip(image_y, 0, 399) // 2]
        assert square[y, x, :2] == pytest.approx(expected, abs=2)


def five(*points):
    return Landmarks(np.float32(points), "five_points")


UPRIGHT = five((230, 130), (270, 130), (250, 150), (235, 172), (265, 172))


@pytest.mark.parametrize(
    "turn", [np.eye(2), np.array([[0.8, -0.6], [0.6, 0.8]]), 2 * np.array([[0.0, 1], [-1, 0]])]
)
def test_detector_points_choose_the_view_for_the_mesh(turn):
    """Eyes level, the mouth below them, whichever way and however large the face."""
    middle = np.float32([250, 150])
    points = five(*((UPRIGHT.points - middle) @ turn.T + middle))
    networks = FixedMeshes(found_at(0.5, 0.5))
    image = RgbImage(np.zeros((400, 600, 3), np.uint8))
    face = Face(Box(200, 100, 300, 200), 1.0, points)
    (found,) = FaceMeshLandmarks(networks).locate(image, [face])
    assert found.points[0] == pytest.approx([250, 150])
    # Pixels of the view; the square is 170 px wide around (250, 150).
    square = (anchor_points(points) - [165, 65]) * 256 / 170
    seen = (square - networks.view[:, 2]) @ np.linalg.inv(networks.view[:, :2]).T
    left, right, mouth = seen / 192
    assert left[1] == pytest.approx(right[1], abs=0.005)
    assert [left[0], right[0], mouth[0]] == pytest.approx([0.36, 0.65, 0.5], abs=0.02)
    assert [left[1], mouth[1]] == pytest.approx([0.35, 0.64], abs=0.02)


def test_face_is_searched_again_if_all_points_coincide():
    networks = FixedMeshes(found_at(0.5, 0.5))
    image = RgbImage(np.zeros((400, 600, 3), np.uint8))
    face = Face(Box(200, 100, 300, 200), 1.0, five(*[(250, 150)] * 5))
    (found,) = FaceMeshLandmarks(networks).locate(image, [face])
    assert found is not None
    assert networks.view is None


def test_mesh_far_from_the_box_is_not_used():
    networks = FixedMeshes(found_at(0.9, 0.5))
    image = RgbImage(np.zeros((400, 600, 3), np.uint8))
    face = Face(Box(200, 100, 300, 200), 1.0, UPRIGHT)
    assert FaceMeshLandmarks(networks).locate(image, [face]) == (None,)


@pytest.mark.parametrize("angle", [-90, -30, 0, 20, 60])
def test_detector_points_and_face_finder_give_the_same_mesh(astronaut, angle):
    x1, y1, x2, y2 = FACE_XYXY
    turn = cv2.getRotationMatrix2D(((x1 + x2) / 2, (y1 + y2) / 2), angle, 1)
    turned = cv2.warpAffine(astronaut, turn, astronaut.shape[1::-1])
    known = [[204, 100], [247, 104], [225, 129], [203, 140], [246, 142]] @ turn[:, :2].T
    face = Face(Box(*FACE_XYXY), 1.0, five(*(known + turn[:, 2])))
    model = FaceMeshLandmarks()
    by_points, by_finder = (
        model.locate(RgbImage(turned), [each])[0] for each in (face, replace(face, landmarks=None))
    )
    eyes = np.linalg.norm(by_finder.points[33] - by_finder.points[263])
    apart = np.linalg.norm(by_points.points - by_finder.points, axis=1).mean()
    assert 0 < apart < 0.08 * eyes
