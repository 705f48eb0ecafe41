"""Marked films play in a browser, at the speed of life, and are written whole or not at all."""

from __future__ import annotations

import av
import numpy as np
import pytest

from core import ConfigError, RgbImage, open_video, video_writer
from tests.films import corners, is_upright

SIZE_WH = (96, 64)


def write(path, count=6, times=None, size_wh=SIZE_WH):
    with video_writer(path, size_wh=size_wh, frames_per_s=10) as add:
        for number in range(count):
            add(RgbImage(corners(size_wh)), times[number] if times else None)
    return path


def test_film_is_one_that_browsers_play(tmp_path):
    path = write(tmp_path / "film.mp4")
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert film.duration / av.time_base == pytest.approx(0.6, abs=0.01)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it loads


def test_frames_are_shown_when_they_were_seen(tmp_path):
    times = [0.0, 0.05, 0.9, 0.9, 2.0]
    path = write(tmp_path / "film.mp4", 5, times)
    with open_video(path) as video:
        frames = list(video.frames)
        assert video.duration_s == pytest.approx(2.1, abs=0.02)
    assert [each.time_s for each in frames] == pytest.approx(times, abs=1e-3)
    assert all(is_upright(each.image.pixels) for each in frames)


def test_film_of_odd_size_repeats_its_last_row_and_column(tmp_path):
    path = write(tmp_path / "film.mp4", size_wh=(97, 63))
    with open_video(path) as video:
        frames = list(video.frames)
    assert frames[0].image.pixels.shape == (64, 98, 3)
    edge = frames[0].image.pixels[:, -2:].astype(int)
    assert np.abs(edge[:, 1] - edge[:, 0]).mean() < 8


@pytest.mark.parametrize("name", ["film.avi", "absent/film.mp4"])
def test_film_that_cannot_be_written_is_reported(tmp_path, name):
    with pytest.raises(ConfigError, match="The video cannot be written"):
        write(tmp_path / name)


def test_unfinished_film_leaves_no_file(tmp_path):
    made = video_writer(tmp_path / "film.mp4", size_wh=SIZE_WH, frames_per_s=10)
    with pytest.raises(ZeroDivisionError), made as add:
        add(RgbImage(corners(SIZE_WH)), 1 / 0)
    assert list(tmp_path.iterdir()) == []
