"""Our MTCNN finds the same boxes as facenet-pytorch."""

from __future__ import annotations

import io
import zipfile

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from core import Device
from core.detectors.area_windows import crop_windows, integral_image, resize_image
from core.detectors.cascade import find_faces
from core.detectors.mtcnn import MtcnnDetector

MIN_FACE_PX = 20


@pytest.fixture(scope="module")
def theirs():
    network = MTCNN(
        min_face_size=MIN_FACE_PX, keep_all=True, select_largest=False, post_process=False
    ).eval()
    return lambda pixels: network.detect(pixels, landmarks=True)


@pytest.fixture(scope="module")
def ours():
    made = MtcnnDetector(working_px=9999, min_face_px=MIN_FACE_PX, threshold=0, device=Device.CPU)
    return lambda pixels: find_faces(pixels, made._networks, made._settings)


def assert_same(pixels, theirs, ours):
    """Assert that both find the same boxes with the same scores and points."""
    boxes, scores, points = theirs(pixels)
    found = ours(pixels)
    if boxes is None:
        assert len(found.boxes) == 0
        return 0
    boxes, scores, points = (np.asarray(each, dtype=np.float64) for each in (boxes, scores, points))
    assert len(found.boxes) == len(boxes)
    # Scores of 1.0000 may swap places by their last bit, so boxes are paired by distance.
    apart = np.abs(found.boxes[:, None] - boxes[None]).max(axis=2)
    nearest = apart.argmin(axis=1)
    assert sorted(nearest) == list(range(len(boxes)))
    assert apart.min(axis=1).max() < 0.5
    assert np.abs(found.scores - scores[nearest]).max() < 1e-3
    assert np.abs(found.points - points[nearest]).max() < 0.5
    return len(boxes)


def compositions(astronaut):
    """Yield faces of several sizes, cut by every border, stretched and in noise."""
    yield astronaut
    rng = np.random.default_rng(0)
    face = astronaut[20:220, 120:320]
    scene = rng.integers(0, 256, (431, 640, 3), dtype=np.uint8)
    for x, y, side in [(0, 0, 90), (90, 10, 61), (300, 40, 250), (560, 351, 80), (40, 330, 101)]:
        scene[y : y + side, x : x + side] = cv2.resize(face, (side, side))[
            : scene.shape[0] - y, : scene.shape[1] - x
        ]
    yield scene
    yield np.ascontiguousarray(astronaut[100:, 200:])
    yield np.ascontiguousarray(astronaut[60:130, 150:300])
    yield cv2.resize(astronaut, (301, 733))
    yield np.tile(cv2.resize(face, (77, 77)), (3, 7, 1))


def test_compositions_have_the_same_faces(astronaut, theirs, ours):
    found = [assert_same(pixels, theirs, ours) for pixels in compositions(astronaut)]
    assert sum(found) > 20


@pytest.mark.data
def test_shared_photos_have_the_same_faces(shared_dir, theirs, ours):
    found = []
    with zipfile.ZipFile(shared_dir / "photos" / "photos.zip") as photos:
        for name in photos.namelist()[::3]:
            photo = Image.open(io.BytesIO(photos.read(name))).convert("RGB")
            photo.thumbnail((640, 640))
            found.append(assert_same(np.asarray(photo), theirs, ours))
    assert len(found) > 10
    assert sum(found) > len(found)


@pytest.mark.parametrize("size_hw", [(24, 24), (17, 40), (81, 60), (300, 7), (1, 1)])
def test_reduced_picture_equals_torch_s_area_average(astronaut, size_hw):
    picture = astronaut[:203, :171]
    expected = torch.nn.functional.adaptive_avg_pool2d(
        torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float(), size_hw
    )[0]
    assert np.abs(resize_image(integral_image(picture), size_hw) - expected.numpy()).max() < 1e-3


@pytest.mark.parametrize("side", [24, 48])
def test_windows_equal_torch_s_area_average(astronaut, side):
    rng = np.random.default_rng(1)
    corners = rng.integers(0, 400, (300, 2))
    lengths = rng.integers(1, 112, (300, 2))
    windows = np.stack([corners, corners + lengths], axis=2).reshape(300, 4)
    cells = crop_windows(integral_image(astronaut), windows, side)
    assert cells.shape == (300, 3, side, side)
    for (y1, y2, x1, x2), cell in zip(windows, cells, strict=True):
        window = torch.from_numpy(astronaut[y1:y2, x1:x2].copy()).permute(2, 0, 1)[None].float()
        expected = torch.nn.functional.interpolate(window, size=(side, side), mode="area")[0]
        assert np.abs(cell - expected.numpy()).max() < 1e-3


def test_no_windows_give_no_cells(astronaut):
    assert crop_windows(integral_image(astronaut), np.zeros((0, 4), np.int64), 24).shape == (
        0,
        3,
        24,
        24,
    )


def test_integral_image_of_a_large_white_image_overflows_harmlessly():
    white = np.full((3000, 3000, 3), 255, np.uint8)
    assert (resize_image(integral_image(white), (30, 40)) == 255).all()
    assert (
        crop_windows(integral_image(white), np.array([[2900, 3000, 2800, 3000]]), 24) == 255
    ).all()
