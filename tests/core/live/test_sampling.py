"""Networks read some frames of a film; the others get what stands around them."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from core import Emotion, FaceFollower, Frame, RgbImage, Video, answer_video
from tests.core.live.test_following import SquareLandmarks
from tests.fakes import FakeAnalyzer, picture


@pytest.fixture
def analyzer():
    made = FakeAnalyzer()
    made._landmarks = SquareLandmarks()
    return made


def film(frames, frames_per_s):
    return Video("film", 480, 360, frames_per_s, len(frames), iter(frames))


def moving(count, frames_per_s, step=4, emotion=Emotion.HAPPY, start_s=0.0):
    """A face that moves to the right by ``step`` in each frame."""
    pixels = picture(emotion)
    return [
        Frame(
            RgbImage(np.ascontiguousarray(np.roll(pixels, step * n, axis=1)), "film"),
            start_s + n / frames_per_s,
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("frames_per_s", "read"), [(10, 60), (15, 60), (24, 30), (30, 30), (60, 15), (240, 4)]
)
def test_fifteen_frames_of_a_second_are_read_at_most(analyzer, frames_per_s, read):
    frames = moving(60, frames_per_s, step=0)
    answered = list(answer_video(film(frames, frames_per_s), FaceFollower(analyzer)))
    assert [each.frame for each in answered] == frames
    assert all(len(each.analysis.faces) == 1 for each in answered)
    assert analyzer._landmarks.calls == read


def test_face_moves_evenly_between_two_frames_that_are_read(analyzer):
    frames = moving(13, 60)
    answered = list(answer_video(film(frames, 60), FaceFollower(analyzer)))
    faces = [each.analysis.faces[0] for each in answered]
    assert analyzer._landmarks.calls == 4
    assert [face.face.box.x1 for face in faces] == pytest.approx(
        [10 + 4 * n for n in range(13)], abs=0.1
    )
    eyes = [face.face.landmarks.points[0][0] for face in faces]
    assert np.diff(eyes) == pytest.approx([4] * 12, abs=0.1)
    assert {face.index for face in faces} == {1}


def test_cut_is_read_at_once_and_nothing_moves_across_it(analyzer):
    happy = moving(8, 60, step=0)
    sad = [
        Frame(RgbImage(np.ascontiguousarray(255 - each.image.pixels), "film"), each.time_s)
        for each in moving(2, 60, start_s=8 / 60, step=0)
    ]
    answered = list(answer_video(film([*happy, *sad], 60), FaceFollower(analyzer)))
    assert [len(each.analysis.faces) for each in answered] == [1] * 8 + [0] * 2


def test_face_that_is_gone_leaves_half_way(analyzer, monkeypatch):
    frames = moving(8, 60, step=0)
    analyzer._landmarks.locate = lambda _, faces: (None,) * len(faces)
    follower = FaceFollower(analyzer, every=1)
    monkeypatch.setattr(FaceFollower, "notice_cut", lambda *_: False)
    without = picture()
    frames = [*frames[:4], *(Frame(RgbImage(without, "film"), n / 60) for n in range(4, 6))]
    answered = list(answer_video(film(frames, 60), follower))
    assert [len(each.analysis.faces) for each in answered] == [1, 1, 1, 0, 0, 0]


def test_every_frame_that_is_read_takes_its_turn(analyzer):
    turns = []

    @contextmanager
    def take_turn():
        turns.append(analyzer._landmarks.calls)
        yield
        assert analyzer._landmarks.calls == turns[-1] + 1

    video = film(moving(9, 60, step=0), 60)
    list(answer_video(video, FaceFollower(analyzer), take_turn=take_turn))
    assert turns == [0, 1, 2]


def test_cancelled_film_gives_the_frames_that_wait(analyzer):
    answered, seen = [], film(moving(60, 60, step=0), 60)
    for each in answer_video(
        seen, FaceFollower(analyzer), is_cancelled=lambda: len(answered) >= 20
    ):
        answered.append(each.frame.time_s)  # noqa: PERF401
    assert answered == sorted(answered)
    assert 20 <= len(answered) <= 25
