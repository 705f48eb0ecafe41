"""What is particular to the face mesh: depth, its square, the neighbour in it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from core import Box, Face, RgbImage
from core.landmarks.face_mesh import FaceMeshLandmarks, _cut_square


def found_at(x, y):
    """What MediaPipe returns for a face whose 478 points all lie at (x, y) of its picture."""
    return SimpleNamespace(landmark=[SimpleNamespace(x=x, y=y, z=0.25)] * 478)


class Answering:
    """Stands in for MediaPipe's FaceMesh."""

    def __init__(self, *faces):
        self.answer = SimpleNamespace(multi_face_landmarks=list(faces) or None)

    def process(self, square):
        assert square.shape == (256, 256, 3)
        assert square.dtype == np.uint8
        assert square.flags.c_contiguous
        return self.answer


def located(*faces, box=None):
    model = FaceMeshLandmarks(graphs=1)
    graph = model._idle.queue[0]
    graph._mesh, graph._talked = Answering(*faces), True
    image = RgbImage(np.zeros((400, 600, 3), np.uint8))
    return model.locate(image, [Face(box or Box(200, 100, 300, 200), 1.0)])[0]


def test_normalised_points_become_pixels_of_the_photo():
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


def test_meshes_are_made_when_they_are_needed_first(monkeypatch):
    made = []
    mesh = Answering(found_at(0.5, 0.5))
    monkeypatch.setattr("core.landmarks.face_mesh._make_mesh", lambda: made.append(1) or mesh)
    model = FaceMeshLandmarks(graphs=3)
    assert made == []
    image = RgbImage(np.zeros((50, 50, 3), np.uint8))
    face = Face(Box(10, 10, 40, 40), 1.0)
    for _ in range(3):
        model.locate(image, [face])
    assert made == [1]
    for _ in range(3):
        model.locate(image, [face] * 9)
    assert 1 <= len(made) <= 3


def test_faces_keep_their_order_on_several_graphs(photo):
    moved = [Box(179 + 3 * n, 60, 268 + 3 * n, 176) for n in range(5)]
    faces = [Face(box, 1.0) for box in moved]
    several = FaceMeshLandmarks(graphs=2).locate(photo, faces)
    alone = FaceMeshLandmarks(graphs=1).locate(photo, faces)
    for one, other in zip(several, alone, strict=True):
        assert one.points == pytest.approx(other.points, abs=1e-4)


def test_graph_comes_back_after_an_error(monkeypatch):
    def broken():
        raise OSError("no model")

    monkeypatch.setattr("core.landmarks.face_mesh._make_mesh", broken)
    model = FaceMeshLandmarks(graphs=1)
    image = RgbImage(np.zeros((50, 50, 3), np.uint8))
    for _ in range(2):
        with pytest.raises(OSError, match="no model"):
            model.locate(image, [Face(Box(10, 10, 40, 40), 1.0)])


@pytest.mark.parametrize(("told", "graphs"), [("1", 1), ("3", 3), ("64", 4), ("0", 1)])
def test_graphs_follow_what_openmp_is_told(monkeypatch, told, graphs):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert FaceMeshLandmarks()._idle.qsize() == graphs
