"""The study of landmarks in mirrored photos."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from core import Box, DataError, Face, Landmarks
from training.studies import mirrored as study
from training.studies.mirrored import study_mirrored

FIVE = np.float32([[40, 40], [60, 40], [50, 50], [42, 60], [58, 60]])
MESH_EYES = [(33, 133, 159, 145), (263, 362, 386, 374), (61, 291)]
OFF_PX = 3.0


class Detects:
    """One face in every picture that is not black, whose points err to the right by 3 px."""

    def __init__(self, x1=30.0):
        self.x1 = x1

    def detect(self, image):
        if not image.pixels.any():
            return ()
        points = Landmarks(FIVE + np.float32([OFF_PX, 0]), "five_points")
        return (Face(Box(self.x1, 25.0, self.x1 + 40, 75.0), 0.9, points),)


class Mesh:
    """Lies where the face is; by its own finder it errs by 1 px, or is absent on request."""

    def __init__(self, networks):
        self.absent = networks

    def locate(self, image, faces):
        return tuple(self.one(face) for face in faces)

    def one(self, face):
        if face.landmarks is None and self.absent:
            return None
        points = np.zeros((468, 2), np.float32)
        for group, place in zip(MESH_EYES, [(40, 40), (60, 40), (50, 60)], strict=True):
            points[list(group)] = place
        return Landmarks(points + np.float32([face.landmarks is None, 0]), "face_mesh_468")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    grey = np.full((100, 100, 3), 90, np.uint8)
    for number in range(3):
        Image.fromarray(grey + number).save(folder / f"{number}.png")
    Image.fromarray(np.zeros_like(grey)).save(folder / "none.png")
    return folder


def measure(monkeypatch, photos, out, *, detector, absent=False):
    monkeypatch.setattr(study.detectors, "load", lambda _config: (detector, None))
    monkeypatch.setattr(study, "MeshNetworks", lambda: absent)
    monkeypatch.setattr(study, "FaceMeshLandmarks", Mesh)
    monkeypatch.setattr(
        study, "_find_views", lambda *_: [np.float64([[17, 17], [31, 17], [24, 30]])]
    )
    return study_mirrored(photos, out)


def test_points_that_err_to_one_side_err_twice_in_the_mirror(monkeypatch, photos, tmp_path):
    result = measure(monkeypatch, photos, tmp_path, detector=Detects())
    assert (result["photos"], result["faces"], result["by_all"]) == (4, 3, 3)
    ways = result["ways"]
    # The longer side is 50 px.
    assert ways["mesh"]["mean"] == pytest.approx(0)
    assert ways["mesh_by_its_own_finder"]["median"] == pytest.approx(2 / 50)
    assert ways["five_points"]["mean_interval"] == pytest.approx([2 * OFF_PX / 50] * 2)
    assert ways["five_points"]["against_mesh"]["value"] == pytest.approx(2 * OFF_PX / 50)
    assert result["view"] == [[17, 17], [31, 17], [24, 30]]
    assert result["view_of"] == 3
    assert json.loads((tmp_path / "mirrored.json").read_text()) == result


def test_ways_are_compared_on_faces_that_all_of_them_found(monkeypatch, photos, tmp_path):
    result = measure(monkeypatch, photos, tmp_path, detector=Detects(), absent=True)
    assert result["found"] == {"mesh": 3, "mesh_by_its_own_finder": 0, "five_points": 3}
    assert (result["by_all"], result["ways"]) == (0, {})


def test_face_elsewhere_in_the_mirror_image_is_another_one(monkeypatch, photos, tmp_path):
    with pytest.raises(DataError, match="mirrored"):
        measure(monkeypatch, photos, tmp_path, detector=Detects(x1=0.0))


def test_real_detector_and_mesh_find_the_astronaut_in_both_pictures(astronaut, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(astronaut).save(folder / "astronaut.png")
    result = study_mirrored(folder, tmp_path)
    assert result["by_all"] == result["view_of"] == 1
    assert all(0 < way["mean"] < 0.06 for way in result["ways"].values())
    left, right, mouth = result["view"]
    assert left[0] < mouth[0] < right[0] < 36
    assert 12 < left[1] < mouth[1] < 36
