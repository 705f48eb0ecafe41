"""What is particular to the face mesh: depth, its square, the neighbour in it."""

from __future__ import annotations

import numpy as np
import pytest

from core import Box, Face, RgbImage
from core.landmarks.face_mesh import FaceMeshLandmarks, _cut_square


def found_at(x, y):
    """A mesh whose points all lie at (x, y) of the square, a fourth of it in depth."""
    return np.tile(np.float32([256 * x, 256 * y, 64]), (468, 1))


class Answering:
    """Stands in for the networks."""

    def __init__(self, *faces):
        self.answer = list(faces)

    def meshes(self, square):
        assert square.shape == (256, 256, 3)
        assert square.dtype == np.uint8
        assert square.flags.c_contiguous
        return self.answer


def located(*faces, box=None):
    image = RgbImage(np.zeros((400, 600, 3), np.uint8))
    model = FaceMeshLandmarks(Answering(*faces))
    return model.locate(image, [Face(box or Box(200, 100, 300, 200), 1.0)])[0]


def test_points_of_the_square_become_pixels_of_the_photo():
    # The square is 170 px wide around (250, 150); its corner lies at (165, 65).
    landmarks = located(found_at(0.5, 0.5))
    assert landmarks.scheme == "face_mesh_468"
    assert landmarks.points.shape == (468, 2)
    assert landmarks.points[0] == pytest.approx([250, 150])
    assert landmarks.depth.shape == (468,)
    assert landmarks.depth[0] == pytest.approx(0.25 * 170)


def test_nearest_of_two_meshes_is_meant():
    landmarks = located(found_at(0.9, 0.5), found_at(0.55, 0.45))
    assert landmarks.points[0] == pytest.approx([165 + 0.55 * 170, 65 + 0.45 * 170])


def test_neighbour_alone_is_not_taken_for_the_face():
    assert located(found_at(0.9, 0.5)) is None


def test_no_mesh_is_none():
    assert located() is None


@pytest.mark.parametrize(
    "box", [Box(200, 100, 300, 200), Box(-40, -30, 60, 70), Box(560, 350, 640, 450)]
)
def test_square_shows_the_box_in_its_middle(box):
    rows, columns = np.indices((400, 600))
    pixels = np.stack([columns // 3, rows // 2, np.zeros_like(rows)], axis=2).astype(np.uint8)
    square, offset, scale = _cut_square(RgbImage(pixels), box)
    assert scale * 256 == pytest.approx(1.7 * max(box.width, box.height), abs=1)
    for x, y in ((128, 128), (60, 200), (200, 60)):
        image_x, image_y = offset + (np.array([x, y]) + 0.5) * scale
        expected = [np.clip(image_x, 0, 599) // 3, np.clip(image_y, 0, 399) // 2]
        assert square[y, x, :2] == pytest.approx(expected, abs=2)
