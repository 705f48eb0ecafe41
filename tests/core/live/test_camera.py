"""Frames of a camera have the times at which they were seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core import ConfigError, open_camera
from core.live import camera as module


class FakeCamera:
    """Gives three frames of 8 x 6 pixels, blue in OpenCV's order."""

    def __init__(self, rate=30.0):
        self.rate, self.left, self.released = rate, 3, False

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def get(self, which):
        sizes = {cv2.CAP_PROP_FRAME_WIDTH: 8.0, cv2.CAP_PROP_FRAME_HEIGHT: 6.0}
        return {**sizes, cv2.CAP_PROP_FPS: self.rate}.get(which, 0.0)

    def read(self):
        self.left -= 1
        pixels = np.zeros((6, 8, 3), np.uint8)
        pixels[..., 0] = 200
        return self.left >= 0, pixels

    def release(self):
        self.released = True


def test_frames_have_times_of_the_clock_since_the_first(monkeypatch):
    camera = FakeCamera()
    monkeypatch.setattr(module.cv2, "VideoCapture", lambda _: camera)
    times = iter([100.0, 100.5, 103.0])
    with open_camera(0, lambda: next(times)) as video:
        assert (video.width, video.height, video.length) == (8, 6, None)
        frames = list(video.frames)
    assert [each.time_s for each in frames] == [0.0, 0.5, 3.0]
    assert {each.done for each in frames} == {None}
    assert frames[0].image.pixels[0, 0].tolist() == [0, 0, 200]
    assert camera.released


@pytest.mark.parametrize(("stated", "rate"), [(30.0, 30.0), (0.0, 25.0), (1e6, 25.0)])
def test_absurd_rate_is_replaced(monkeypatch, stated, rate):
    monkeypatch.setattr(module.cv2, "VideoCapture", lambda _: FakeCamera(stated))
    with open_camera(0, lambda: 0.0) as video:
        assert video.frames_per_s == rate


def test_missing_camera_is_reported(capfd):
    camera = open_camera(77, lambda: 0.0)
    with pytest.raises(ConfigError, match="no camera number 77") as caught, camera:
        pass
    assert "emotion live FILE" in caught.value.hint
    capfd.readouterr()
