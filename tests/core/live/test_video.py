"""Videos are read frame by frame from local files only, and written completely or not at all."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core import ConfigError, RgbImage, UnreadableImage, is_video, open_camera, open_video
from core import video_writer as writing
from core.live import video as module

SIZE_WH = (96, 64)


def frame(red):
    pixels = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    pixels[..., 0] = red
    return RgbImage(pixels)


@pytest.fixture
def film(tmp_path):
    """Ten frames a second, each redder than the one before."""
    path = tmp_path / "film.mp4"
    with writing(path, size_wh=SIZE_WH, frames_per_s=10) as write:
        for red in range(0, 200, 20):
            write(frame(red))
    return path


def test_frames_come_in_order_with_their_times_and_colours(film):
    with open_video(film) as video:
        assert (video.width, video.height, video.frames_per_s) == (*SIZE_WH, 10)
        assert video.length == 10
        frames = list(video.frames)
    assert [each.time_s for each in frames] == pytest.approx([n / 10 for n in range(10)])
    reds = [float(each.image.pixels[..., 0].mean()) for each in frames]
    assert reds == pytest.approx(range(0, 200, 20), abs=12)
    assert max(float(each.image.pixels[..., 2].mean()) for each in frames) < 30


def test_video_is_recognised_by_its_content(film, tmp_path):
    assert is_video(film)
    other = tmp_path / "film.jpg"
    film.rename(other)
    assert is_video(other)
    text = tmp_path / "text.mp4"
    text.write_text("not a readable video")
    assert not is_video(text)
    assert not is_video(tmp_path / "absent.mp4")
    assert not is_video(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable video"),
        (b"just text", "not a readable video"),
        (b"#EXTM3U\nhttp://localhost/film.ts\n", "not a readable video"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + b"\0" * 400, "damaged"),
        (b"\x1aE\xdf\xa3" + b"\xff" * 400, "damaged"),
    ],
)
def test_damaged_or_other_files_are_refused(tmp_path, content, message, capfd):
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage, match=message) as caught, open_video(path):
        pass
    assert "MP4" in caught.value.hint
    capfd.readouterr()


def test_video_that_is_cut_off_ends_at_the_cut(film, capfd):
    # The index stands at the end of an MP4 file, so one that was cut is damaged as a whole.
    film.write_bytes(film.read_bytes()[:-200])
    with pytest.raises(UnreadableImage, match="damaged"), open_video(film):
        pass
    capfd.readouterr()


@pytest.mark.parametrize("name", ["absent.mp4", "http://localhost/film.mp4", "."])
def test_only_local_files_are_opened(tmp_path, name):
    with pytest.raises(UnreadableImage) as caught, open_video(tmp_path / name):
        pass
    assert "web addresses are not opened" in caught.value.hint


def test_missing_camera_is_reported(capfd):
    camera = open_camera(77, lambda: 0.0)
    with pytest.raises(ConfigError, match="no camera number 77") as caught, camera:
        pass
    assert "emotion live FILE" in caught.value.hint
    capfd.readouterr()


def test_camera_frames_have_times_of_the_clock(film, monkeypatch):
    capture = cv2.VideoCapture(str(film))
    monkeypatch.setattr(module.cv2, "VideoCapture", lambda _: capture)
    times = iter([100.0, 100.5, 103.0, *range(104, 200)])
    with open_camera(0, lambda: float(next(times))) as video:
        assert video.length is None
        assert [next(video.frames).time_s for _ in range(3)] == [0.5, 3.0, 4.0]


def test_too_large_frames_are_refused(film, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_SIDE_PX", 90)
    with pytest.raises(UnreadableImage, match="96 x 64 pixels"), open_video(film):
        pass


@pytest.mark.parametrize("name", ["film.avi", "absent/film.mp4"])
def test_video_that_cannot_be_written_is_reported(tmp_path, name):
    made = writing(tmp_path / name, size_wh=SIZE_WH, frames_per_s=10)
    with pytest.raises(ConfigError, match="The video cannot be written"), made:
        pass


def test_unfinished_video_leaves_no_file(tmp_path):
    made = writing(tmp_path / "film.mp4", size_wh=SIZE_WH, frames_per_s=10)
    with pytest.raises(ZeroDivisionError), made as write:
        write(frame(1 // 0))
    assert list(tmp_path.iterdir()) == []
