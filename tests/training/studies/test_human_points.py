"""The mesh against points that people placed."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from PIL import Image

from core.errors import DataError
from core.types import Landmarks
from training.studies.human_points import MESH_OF_68, compare_mesh_with_people, read_points

ERROR_PX = 3.0


def make_points():
    """68 points whose outer eye corners lie 60 px apart."""
    points = np.random.default_rng(0).uniform(60, 140, (68, 2)).round(2)
    points[36], points[45] = (70, 90), (130, 90)
    return points


def format_points(points):
    lines = "\n".join(f"{x} {y}" for x, y in points + 0.5)
    return f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n"


class ShiftedMesh:
    """Knows the points, and errs with the mouth."""

    def __init__(self):
        self.boxes = []

    def locate(self, image, faces):
        (face,) = faces
        self.boxes.append(face.box)
        if image.pixels[0, 0, 0] == 0:
            return (None,)
        points = np.zeros((468, 2), np.float32)
        points[list(MESH_OF_68)] = make_points()
        for index in MESH_OF_68[48:]:
            points[index] += (ERROR_PX, 0)
        return (Landmarks(points, "face_mesh_468"),)


@pytest.fixture
def places(tmp_path):
    folder = tmp_path / "people"
    folder.mkdir()
    for name, grey in (("a", 90), ("b", 0), ("unmarked", 90)):
        Image.fromarray(np.full((200, 200, 3), grey, np.uint8)).save(folder / f"{name}.png")
    for name in ("a", "b"):
        (folder / f"{name}.pts").write_text(format_points(make_points()))
    return folder


def test_error_is_reported_by_part_relative_to_the_distance_of_the_eyes(places):
    mesh = ShiftedMesh()
    result = compare_mesh_with_people(places, mesh)
    assert (result["pictures"], result["found"]) == (2, 1)
    assert result["parts"]["eyes"] == pytest.approx(0, abs=1e-3)
    assert result["parts"]["mouth"] == pytest.approx(ERROR_PX / 60, abs=0.01)
    # Twenty of the 51 inner points.
    assert result["inner"]["mean"] == pytest.approx(ERROR_PX / 60 * 20 / 51, abs=0.005)
    low, high = make_points().min(axis=0), make_points().max(axis=0)
    assert mesh.boxes[0].x1 < low[0]
    assert mesh.boxes[0].y2 > high[1]


def test_zip_is_read_like_its_folder(places, tmp_path):
    archive = tmp_path / "people.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(places.iterdir()):
            file.write(path, path.name)
    result = compare_mesh_with_people(archive, ShiftedMesh())
    assert result == {**compare_mesh_with_people(places, ShiftedMesh()), "data": "people.zip"}


def test_pictures_without_points_are_an_error(tmp_path):
    with pytest.raises(DataError, match="68 points beside"):
        compare_mesh_with_people(tmp_path, ShiftedMesh())


def test_file_that_is_not_a_zip_is_an_error(tmp_path):
    file = tmp_path / "people.zip"
    file.write_text("no zip")
    with pytest.raises(DataError, match="neither a folder nor a complete zip"):
        compare_mesh_with_people(file, ShiftedMesh())


def test_every_point_has_its_own_vertex():
    assert len(MESH_OF_68) == len(set(MESH_OF_68)) == 68
    assert all(0 <= vertex < 468 for vertex in MESH_OF_68)


@pytest.mark.parametrize("text", ["", "{\n1 2\n}", "{\n" + "1 x\n" * 68 + "}"])
def test_other_files_are_refused(text):
    with pytest.raises(DataError, match=r"'a\.pts' does not hold 68 points"):
        read_points(text, "a.pts")
