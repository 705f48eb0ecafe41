"""MTCNN in cases where the library fails, and the differences of its presets."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core import Device, RgbImage
from core.config import Preset, PresetSettings, get_settings
from core.detectors.cascade import _crop_windows, _list_scales
from core.detectors.mtcnn import DEFAULT_THRESHOLD, MtcnnDetector, load_mtcnn


@pytest.fixture(scope="module")
def eager():
    """A detector that accepts everything, so that all three stages have candidates."""
    return MtcnnDetector(working_px=400, min_face_px=12, threshold=0.0, device=Device.CPU)


def odd_pictures(astronaut):
    """Yield noise, stretched faces and faces cut by the border, all small."""
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


def test_odd_pictures_do_not_fail(eager, astronaut):
    found = 0
    for pixels in odd_pictures(astronaut):
        for face in eager.detect(RgbImage(pixels)):
            found += 1
            assert np.isfinite(face.landmarks.points).all()
            assert 0 <= face.score <= 1
    assert found > 10  # otherwise the pictures would test nothing


@pytest.mark.parametrize("size_wh", [(4000, 10), (10, 4000), (4000, 60), (60, 4000), (11, 11)])
def test_extreme_shapes_do_not_fail(eager, size_wh):
    noise = np.random.default_rng(0).integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    eager.detect(RgbImage(noise))


@pytest.mark.parametrize("stage", ["proposal", "refinement"])
def test_box_moved_off_the_picture_does_not_fail(photo, stage):
    detector = load_mtcnn(settings=get_settings(Preset.FAST, "mtcnn"), device=Device.CPU)
    network = getattr(detector._networks, stage)

    class Wild:
        """The stage, but with offsets that move every other box far away."""

        def run(self, batch):
            answers = network.run(batch).copy()
            if answers.ndim == 2:
                answers[::2, 1:] += 100
            else:
                answers[:, 1:, :, ::2] -= 100
            return answers

    detector._networks = replace(detector._networks, **{stage: Wild()})
    detector.detect(photo)


def test_boxes_that_touch_the_picture_are_cropped_as_in_the_library():
    boxes = np.array([[-3.7, 2.2, 10.9, 12.4], [0.0, 0.0, 5.0, 5.0], [15.5, 8.5, 40.0, 30.0]])
    x1, y1, x2, y2 = np.trunc(boxes).astype(int).T
    theirs = np.maximum(y1, 1) - 1, np.minimum(y2, 15), np.maximum(x1, 1) - 1, np.minimum(x2, 20)
    assert _crop_windows(boxes, 20, 15).T.tolist() == [each.tolist() for each in theirs]


@pytest.mark.parametrize(
    "box", [[30, 30, 40, 40], [-40, -40, -30, -30], [25, 3, 20, 9], [3, 3, 3, 3]]
)
def test_every_box_keeps_a_pixel_of_the_picture(box):
    ((y1, y2, x1, x2),) = _crop_windows(np.array([box], np.float32), 20, 15)
    assert 0 <= x1 < x2 <= 20
    assert 0 <= y1 < y2 <= 15


def test_no_boxes_give_no_windows():
    assert _crop_windows(np.zeros((0, 4), np.float32), 20, 15).shape == (0, 4)


def test_number_of_candidates_is_limited(eager, monkeypatch):
    seen = []

    class Eager:
        """Reports a face in every cell."""

        def run(self, batch):
            if batch.shape[2] == 24:
                seen.append(len(batch))
                return np.zeros((len(batch), 5), np.float32)
            sides = [(side - 2 + 1) // 2 - 4 for side in batch.shape[2:]]
            rng = np.random.default_rng(0)
            return rng.uniform(0.7, 1, (1, 5, *sides)).astype(np.float32)

    monkeypatch.setattr("core.detectors.cascade._MOST", 100)
    detector = MtcnnDetector(working_px=400, min_face_px=12, threshold=0.0, device=Device.CPU)
    detector._networks = replace(detector._networks, proposal=Eager(), refinement=Eager())
    assert detector.detect(RgbImage(np.zeros((100, 100, 3), np.uint8))) == ()
    assert 0 < sum(seen) <= 128  # padded to the compiled batch sizes


def test_default_threshold_is_the_measured_one():
    made = load_mtcnn(settings=get_settings(Preset.FAST, "mtcnn"), device=Device.CPU)
    assert made._threshold == DEFAULT_THRESHOLD
    other = load_mtcnn(
        settings=get_settings(Preset.FAST, "mtcnn"), threshold=0.7, device=Device.CPU
    )
    assert other._threshold == 0.7


def test_thorough_preset_finds_a_face_that_fast_misses(astronaut):
    pixels = np.full((300, 1600, 3), 90, np.uint8)
    pixels[100:230, 700:830] = cv2.resize(astronaut, (130, 130), interpolation=cv2.INTER_AREA)
    image = RgbImage(pixels)  # the face is 23 px wide

    def found(preset):
        return len(
            load_mtcnn(settings=get_settings(preset, "mtcnn"), device=Device.CPU).detect(image)
        )

    assert (found(Preset.FAST), found(Preset.THOROUGH)) == (0, 1)


def test_picture_smaller_than_the_smallest_face_is_not_searched(eager):
    detector = MtcnnDetector(working_px=400, min_face_px=12, threshold=0.0, device=Device.CPU)
    detector._networks = replace(eager._networks, proposal=None)
    assert detector.detect(RgbImage(np.zeros((11, 90, 3), np.uint8))) == ()


def test_settings_reach_the_cascade():
    settings = PresetSettings("mtcnn", working_px=777, min_face_px=33)
    made = load_mtcnn(settings=settings, device=Device.CPU)
    assert (made._working_px, made._settings.min_face_px) == (777, 33)


@pytest.mark.parametrize(
    ("change", "fewer"),
    [
        ({"stage_thresholds": (1.01, 0.7, 0.7)}, 0),
        ({"stage_thresholds": (0.6, 1.01, 0.7)}, 0),
        ({"stage_thresholds": (0.6, 0.7, 1.01)}, 0),
        ({}, 1),
    ],
)
def test_each_stage_can_be_set(photo, change, fewer):
    made = MtcnnDetector(working_px=512, min_face_px=20, threshold=0.9, device=Device.CPU, **change)
    assert len(made.detect(photo)) == fewer


def test_pyramid_can_be_finer_and_coarser():
    def scales(**change):
        made = MtcnnDetector(
            working_px=512, min_face_px=24, threshold=0.9, device=Device.CPU, **change
        )
        return _list_scales((512, 512), made._settings)

    assert scales()[:2] == pytest.approx([0.5, 0.3545])
    assert scales(pyramid_factor=0.1) == pytest.approx([0.5, 0.05])
    assert len(scales(pyramid_factor=0.8)) > len(scales())
    assert min(scales()) * 512 >= 12
