"""The places where MTCNN as published ends with an error, and how its presets differ."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from core import Device, RgbImage
from core.config import PRESETS, Preset, PresetSettings
from core.detectors.mtcnn import DEFAULT_THRESHOLD, MtcnnDetector, _windows, load_mtcnn


@pytest.fixture(scope="module")
def eager():
    """A detector that takes what is hardly a face, so that all three stages have work."""
    return MtcnnDetector(working_px=400, min_face_px=12, threshold=0.0, device="cpu")


def odd_pictures(astronaut):
    """Noise, stretched faces and faces cut by the border, all small."""
    rng = np.random.default_rng(3)
    face = astronaut[30:210, 130:310]
    for _ in range(12):
        width, height = (int(side) for side in rng.integers(12, 70, 2))
        yield rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        yield cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA)
        x, y = (int(value) for value in rng.integers(-60, 60, 2))
        moved = np.roll(face, (y, x), axis=(0, 1))
        yield cv2.resize(moved, (2 * width, 2 * height), interpolation=cv2.INTER_AREA)
        yield np.tile(cv2.resize(face, (width, width)), (1, 5, 1))


def test_no_odd_picture_raises(eager, astronaut):
    found = 0
    for pixels in odd_pictures(astronaut):
        for face in eager.detect(RgbImage(pixels)):
            found += 1
            assert np.isfinite(face.landmarks.points).all()
            assert 0 <= face.score <= 1
    assert found > 10  # else the pictures would try nothing


@pytest.mark.parametrize("size_wh", [(4000, 10), (10, 4000), (4000, 60), (60, 4000), (11, 11)])
def test_extreme_shape_raises_nothing(eager, size_wh):
    noise = np.random.default_rng(0).integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    eager.detect(RgbImage(noise))


@pytest.mark.parametrize("stage", ["rnet", "onet"])
def test_box_that_regression_moves_off_the_picture_raises_nothing(photo, stage, monkeypatch):
    detector = load_mtcnn(settings=PRESETS[Preset.FAST], device=Device.CPU)
    earlier = {"rnet": "pnet", "onet": "rnet"}[stage]
    network = getattr(detector._network, earlier)

    class Wild(torch.nn.Module):
        """The earlier stage with regressions that throw every other box far away."""

        def forward(self, batch):
            regression, *rest = network(batch)
            regression = regression.clone()
            if regression.ndim == 2:
                regression[::2, :] += 100
            else:
                regression[..., ::2] -= 100
            return (regression, *rest)

        parameters = network.parameters

    monkeypatch.setattr(detector._network, earlier, Wild())
    detector.detect(photo)


def test_boxes_that_touch_the_picture_are_cut_as_the_library_cuts_them():
    boxes = torch.tensor(
        [[-3.7, 2.2, 10.9, 12.4, 0.9], [0.0, 0.0, 5.0, 5.0, 0.9], [15.5, 8.5, 40.0, 30.0, 0.9]]
    )
    ours = _windows(boxes, 20, 15)
    theirs = original_pad(boxes, 20, 15)
    for one, other in zip(ours, theirs, strict=True):
        assert one.tolist() == other.tolist()


def original_pad(boxes, w, h):
    """What facenet-pytorch 2.5.3 does, told again for comparison."""
    x1, y1, x2, y2 = (boxes[:, column].trunc().int().numpy() for column in range(4))
    return (
        np.maximum(y1, 1),
        np.minimum(y2, h),
        np.maximum(x1, 1),
        np.minimum(x2, w),
    )


@pytest.mark.parametrize(
    "box", [[30, 30, 40, 40], [-40, -40, -30, -30], [25, 3, 20, 9], [3, 3, 3, 3]]
)
def test_every_box_keeps_a_pixel_of_the_picture(box):
    y1, y2, x1, x2 = (int(each[0]) for each in _windows(torch.tensor([[*box, 0.9]]), 20, 15))
    assert 1 <= x1 <= x2 <= 20
    assert 1 <= y1 <= y2 <= 15


def test_no_boxes_have_no_windows():
    assert [len(each) for each in _windows(torch.zeros(0, 5), 20, 15)] == [0, 0, 0, 0]


def test_default_threshold_is_the_measured_one():
    made = load_mtcnn(settings=PRESETS[Preset.FAST], device=Device.CPU)
    assert made._threshold == DEFAULT_THRESHOLD
    other = load_mtcnn(settings=PRESETS[Preset.FAST], threshold=0.7, device=Device.CPU)
    assert other._threshold == 0.7


def test_thorough_preset_finds_faces_that_fast_does_not(astronaut):
    pixels = np.full((300, 1600, 3), 90, np.uint8)
    pixels[100:230, 700:830] = cv2.resize(astronaut, (130, 130), interpolation=cv2.INTER_AREA)
    image = RgbImage(pixels)  # the face is 23 px wide

    def found(preset):
        return len(load_mtcnn(settings=PRESETS[preset], device=Device.CPU).detect(image))

    assert (found(Preset.FAST), found(Preset.THOROUGH)) == (0, 1)


def test_picture_smaller_than_the_smallest_face_is_not_looked_at(eager, monkeypatch):
    monkeypatch.setattr(eager._network, "detect", None)
    assert eager.detect(RgbImage(np.zeros((11, 90, 3), np.uint8))) == ()


def test_settings_reach_the_network():
    settings = PresetSettings(working_px=777, min_face_px=33)
    made = load_mtcnn(settings=settings, device=Device.CPU)
    assert (made._working_px, made._network.min_face_size) == (777, 33)
