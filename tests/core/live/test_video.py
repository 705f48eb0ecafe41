"""Films are decoded in a process of their own, from one local file, within limits."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from pathlib import Path

import pytest

from core import (
    Emotion,
    FaceFollower,
    FilmLimits,
    ImageTooLarge,
    UnreadableImage,
    answer_video,
    is_video,
    open_video,
)
from core.live import film_link
from tests.fakes import FakeAnalyzer, picture
from tests.films import corners, is_upright, make_film

COUNT = 10


@pytest.fixture
def film(tmp_path):
    return make_film(tmp_path / "film.mp4", [corners()] * COUNT, turned=90)


def test_frames_come_in_order_upright_and_with_their_times(film):
    with open_video(film) as video:
        assert (video.width, video.height, video.frames_per_s) == (160, 120, 10)
        assert (video.length, video.duration_s) == (COUNT, 1.0)
        frames = list(video.frames)
    assert [each.time_s for each in frames] == pytest.approx([n / 10 for n in range(COUNT)])
    assert all(is_upright(each.image.pixels) for each in frames)
    assert {each.image.name for each in frames} == {"film.mp4"}
    assert [each.done for each in frames] == sorted(each.done for each in frames)
    assert (video.lost_frames, video.problems) == (0, ())


def test_video_is_recognised_by_its_content(film, tmp_path):
    assert is_video(film)
    other = film.rename(tmp_path / "film.jpg")
    assert is_video(other)
    assert is_video(make_film(tmp_path / "film.m2ts", [corners()] * 3, codec="mpeg2video", rate=25))
    gif = make_film(tmp_path / "film.gif", [corners()] * 3, codec="gif", pixel_format="rgb8")
    assert not is_video(gif)  # a picture for `emotion analyze`, although `emotion live` reads it
    text = tmp_path / "text.mp4"
    text.write_text("not a readable video")
    assert not is_video(text)
    assert not is_video(tmp_path / "absent.mp4")
    assert not is_video(tmp_path)


def test_losses_are_known_after_the_last_frame(film):
    data = make_film(
        film, [corners()] * COUNT, options={"g": "1"}, container={"movflags": "+faststart"}
    ).read_bytes()
    film.write_bytes(data[: len(data) * 3 // 4])
    with open_video(film) as video:
        frames = list(video.frames)
    assert video.lost_frames == COUNT - len(frames) > 0
    (problem,) = video.problems
    assert f"{video.lost_frames} of about {COUNT} frames" in problem


@pytest.mark.parametrize("name", ["absent.mp4", "http://localhost/film.mp4", "."])
def test_only_local_files_are_opened(tmp_path, name):
    with pytest.raises(UnreadableImage) as caught, open_video(tmp_path / name):
        pass
    assert "web addresses are not opened" in caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipe_and_device_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "film.mp4")
    began = time.perf_counter()
    for path in (tmp_path / "film.mp4", Path(os.devnull)):
        with pytest.raises(UnreadableImage, match="not a file"), open_video(path):
            pass
    assert time.perf_counter() - began < 5


def test_empty_file_and_one_over_the_limit_are_refused(film, tmp_path):
    empty = tmp_path / "empty.mp4"
    empty.touch()
    with pytest.raises(UnreadableImage, match="empty"), open_video(empty):
        pass
    with pytest.raises(ImageTooLarge, match="MB"), open_video(film, FilmLimits(max_bytes=100)):
        pass
    limits = FilmLimits(longest_side_px=100)
    with pytest.raises(ImageTooLarge, match="120 x 160 pixels"), open_video(film, limits):
        pass


def test_decoder_is_silent_and_has_no_core_dump(film, capfd):
    film.write_bytes(film.read_bytes()[:-300] + bytes(300))
    with pytest.raises(UnreadableImage), open_video(film):
        pass
    assert capfd.readouterr() == ("", "")


def fake_decoder(monkeypatch, body):
    """Replace the decoder by a program that sends two frames and then does ``body``."""
    program = (
        "import json, os, struct, sys, time\n"
        "def send(message, pixels=b''):\n"
        "    text = json.dumps(message).encode()\n"
        "    os.write(1, struct.pack('<IQ', len(text), len(pixels)) + text + pixels)\n"
        "send({'film': {'width': 4, 'height': 2, 'frames_per_s': 5.0, 'length': 9,"
        " 'duration_s': None}})\n"
        "for number in range(2):\n"
        "    send({'time_s': number, 'done': 0.5, 'damaged': False}, bytes(24))\n" + body
    )
    monkeypatch.setattr(film_link, "DECODER", (sys.executable, "-c", program))


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("os.abort()", "decoder crash"),
        ("sys.exit(3)", "decoder crash"),
        ("time.sleep(60)", "took too long"),
        ("send({'time_s': 0.5, 'done': 1, 'damaged': False}, bytes(24))", "decoder crash"),
        ("send({'time_s': float('nan'), 'done': 1, 'damaged': False}, bytes(24))", "crash"),
        ("send({'time_s': 3, 'done': 1, 'damaged': False}, bytes(23))", "decoder crash"),
        ("send([1])", "decoder crash"),
        ("os.write(1, b'\\xff' * 12)", "decoder crash"),
    ],
)
def test_crash_costs_the_rest_of_the_film_and_nothing_else(film, monkeypatch, body, what):
    fake_decoder(monkeypatch, body)
    with open_video(film, FilmLimits(frame_seconds=2)) as video:
        frames = list(video.frames)
    assert [each.time_s for each in frames] == [0, 1]
    assert video.lost_frames == 1
    assert what in video.problems[0]
    assert "frame 2" in video.problems[0]


def test_crash_before_the_first_frame_refuses_the_film(film, monkeypatch):
    monkeypatch.setattr(film_link, "DECODER", (sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(UnreadableImage, match="made the decoder crash"), open_video(film):
        pass


def test_decoder_ends_with_the_video(film):
    with open_video(film) as video:
        next(video.frames)
        link = video.frames.gi_frame.f_locals["link"]
        assert link._process.poll() is None
    assert link._process.poll() is not None


def test_limits_reach_the_decoder(film, tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    program = f"import sys; open({str(seen)!r}, 'w').write(sys.argv[1])"
    monkeypatch.setattr(film_link, "DECODER", (sys.executable, "-c", program))
    with pytest.raises(UnreadableImage), open_video(film, FilmLimits(max_seconds=7.0)):
        pass
    assert json.loads(seen.read_text())["max_seconds"] == 7.0


class TestAnswering:
    @pytest.fixture
    def faces(self, tmp_path):
        pictures = [picture(Emotion.HAPPY, side=120)] * 12
        return make_film(tmp_path / "faces.mkv", pictures, codec="ffv1", pixel_format="bgr0")

    def answer(self, path, **options):
        with open_video(path) as video:
            return list(answer_video(video, FaceFollower(FakeAnalyzer()), **options))

    def test_each_frame_has_its_answer_and_progress(self, faces):
        answered = self.answer(faces)
        assert [len(each.analysis.faces) for each in answered] == [1] * 12
        assert answered[-1].frame.done > answered[0].frame.done

    def test_ends_before_the_given_second(self, faces):
        assert len(self.answer(faces, seconds=0.5)) == 5

    def test_can_be_cancelled_between_two_frames(self, faces):
        asked = itertools.count()  # before and after each frame
        assert len(self.answer(faces, is_cancelled=lambda: next(asked) >= 5)) == 3
