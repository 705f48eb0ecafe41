"""MediaPipe's two networks give the same meshes without its graph."""

from __future__ import annotations

import zipfile

import cv2
import numpy as np
import pytest

from core import Box, RgbImage, read_image
from core.config import Preset, get_settings
from core.detectors.mtcnn import load_mtcnn
from core.landmarks.face_mesh import crop_square
from core.landmarks.mesh_networks import MeshNetworks
from tests.core.conftest import FACE_XYXY
from tests.core.landmarks.mediapipe_graph import meshes_of_mediapipe

EYES = (33, 133), (263, 362)


@pytest.fixture(scope="module")
def networks():
    return MeshNetworks()


@pytest.fixture(scope="module")
def graph():
    pytest.importorskip("mediapipe")
    return meshes_of_mediapipe()


def square_of(pixels, box):
    return crop_square(RgbImage(np.ascontiguousarray(pixels)), box)[0]


def squares(astronaut):
    """Yield the astronaut's face unchanged, rotated, small, dark, at the border, in a pair."""
    box = Box(*FACE_XYXY)
    x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    yield square_of(astronaut, box)
    for angle in (-40, 15, 30):
        turn = cv2.getRotationMatrix2D((x, y), angle, 1)
        yield square_of(cv2.warpAffine(astronaut, turn, astronaut.shape[1::-1]), box)
    small = cv2.resize(astronaut, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    yield square_of(small, Box(*(edge * 0.3 for edge in FACE_XYXY)))
    yield square_of(astronaut // 3, box)
    left, top, right, bottom = FACE_XYXY
    yield square_of(astronaut[70:, 190:], Box(left - 190, top - 70, right - 190, bottom - 70))
    tile = astronaut[30:215, 165:285]
    yield square_of(np.concatenate([tile, tile], axis=1), Box(40, 30, 190, 180))


def error(ours, theirs):
    """Return the mean distance of the points in 3D, as a share of the distance between the eyes."""
    ours = ours.points
    left, right = (theirs[list(eye), :2].mean(axis=0) for eye in EYES)
    return np.linalg.norm(ours - theirs, axis=1).mean() / np.linalg.norm(left - right)


def test_meshes_equal_mediapipe_s(networks, graph, astronaut):
    found = 0
    for square in squares(astronaut):
        ours, theirs = networks.find_meshes(square), graph(square)
        assert len(ours) == len(theirs)
        found += len(ours)
        assert all(error(*pair) < 0.003 for pair in zip(ours, theirs, strict=True))
    assert found >= 8


@pytest.mark.data
def test_meshes_equal_mediapipe_s_on_photos(networks, graph, shared_dir):
    detect = load_mtcnn(settings=get_settings(Preset.BALANCED, "mtcnn")).detect
    errors, unlike = [], 0
    with zipfile.ZipFile(shared_dir / "photos" / "photos.zip") as photos:
        images = [read_image(photos.read(name)) for name in photos.namelist()]
    for image in images:
        for face in detect(image):
            square = crop_square(image, face.box)[0]
            ours, theirs = networks.find_meshes(square), graph(square)
            # In the graph the worse of two overlapping faces may replace the better one.
            unlike += len(ours) != len(theirs)
            errors += map(error, ours, theirs)
    assert len(errors) > 30
    assert unlike <= len(errors) / 50
    assert np.quantile(errors, 0.95) < 0.003


def test_no_face_has_no_mesh(networks):
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    for square in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
        assert networks.find_meshes(square) == []
