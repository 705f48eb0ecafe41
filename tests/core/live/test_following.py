"""Faces of a video are detected every few frames and followed in between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core import Box, Emotion, FaceFollower, FaceTracker, Frame, Landmarks, RgbImage
from core.live.following import _move_box
from core.types import Face
from tests.fakes import FakeAnalyzer, FakeEnsemble, SquareDetector, picture


class SquareLandmarks:
    """Places five points on the square nearest to where the face was last."""

    def __init__(self):
        self.calls = 0
        self.lost = False

    def locate(self, image, faces):
        self.calls += 1
        now = SquareDetector().detect(image)
        return tuple(self._one(face, now) for face in faces)

    def _one(self, face, now):
        if self.lost or not now:
            return None
        near = min(now, key=lambda each: abs(each.box.x1 - face.box.x1))
        return near.landmarks


@pytest.fixture
def analyzer():
    made = FakeAnalyzer()
    made._landmarks = SquareLandmarks()
    return made


def frames(count, emotion=Emotion.HAPPY, step=4):
    """A face that moves to the right."""
    pixels = picture(emotion)
    for number in range(count):
        moved = np.roll(pixels, step * number, axis=1)
        yield Frame(RgbImage(np.ascontiguousarray(moved), "film"), number / 25)


def test_only_every_nth_frame_is_searched(analyzer):
    follower = FaceFollower(analyzer, every=4)
    answers = [follower.answer(frame) for frame in frames(9)]
    assert len(analyzer.detector.seen) == 3
    assert analyzer._landmarks.calls == 9
    assert [len(answer.faces) for answer in answers] == [1] * 9


def test_box_moves_with_the_face_and_keeps_its_number(analyzer):
    follower = FaceFollower(analyzer, every=100)
    boxes = []
    for frame in frames(12):
        (face,) = follower.answer(frame).faces
        assert face.index == 1
        assert face.emotions.top is Emotion.HAPPY
        boxes.append(face.face.box)
    assert [box.x1 for box in boxes] == pytest.approx([10 + 4 * n for n in range(12)], abs=0.1)
    assert {round(box.width, 1) for box in boxes} == {60.0}


def test_lost_face_is_left_out_until_it_is_found_again(analyzer):
    follower = FaceFollower(analyzer, every=5)
    counts = []
    for number, frame in enumerate(frames(7)):
        analyzer._landmarks.lost = number in {2, 3}
        counts.append(len(follower.answer(frame).faces))
    assert counts == [1, 1, 0, 0, 0, 1, 1]


def test_several_frames_at_once_give_the_same_answers_as_one_by_one(analyzer):
    moving = list(frames(11))
    follower = FaceFollower(analyzer, every=4)
    alone = [follower.answer(frame) for frame in moving]
    follower = FaceFollower(analyzer, every=4)
    together = [*follower.answer_all(moving[:6]), *follower.answer_all(moving[6:])]
    assert follower.answer_all([]) == ()
    places = [[face.face.box for face in answer.faces] for answer in alone]
    assert [[face.face.box for face in answer.faces] for answer in together] == places
    emotions = [[face.emotions for face in answer.faces] for answer in alone]
    assert [[face.emotions for face in answer.faces] for answer in together] == emotions


def test_face_without_placed_landmarks_stays_until_the_next_search(analyzer):
    follower = FaceFollower(analyzer, every=3)
    analyzer._landmarks.lost = True
    moving = list(frames(8))
    places = [follower.answer(frame).faces[0].face.box.x1 for frame in moving[:4]]
    assert places == pytest.approx([10, 10, 10, 22], abs=0.1)
    analyzer._landmarks.lost = False
    places = [follower.answer(frame).faces[0].face.box.x1 for frame in moving[4:]]
    # Followed from the fifth frame on, by landmarks that are placed again.
    assert places == pytest.approx([26, 30, 34, 38], abs=0.1)


def test_cut_is_searched_at_once_and_begins_new_faces(analyzer):
    """Otherwise the landmarks of one person would be placed on the next, and both averaged."""
    follower = FaceFollower(analyzer, FaceTracker(smoothing_s=10), every=100)
    happy = list(frames(3, Emotion.HAPPY, step=0))
    sad = [
        Frame(RgbImage(255 - each.image.pixels, "film"), 1 + each.time_s)
        for each in frames(3, Emotion.SAD, step=0)
    ]
    for frame in happy:
        follower.answer(frame)
    assert len(analyzer.detector.seen) == 1
    for frame in sad:
        follower.answer(frame)
    assert len(analyzer.detector.seen) == 2


def test_emotions_are_smoothed_over_time(analyzer):
    follower = FaceFollower(analyzer, FaceTracker(smoothing_s=10), every=2)
    for frame in frames(5, Emotion.HAPPY, step=0):
        follower.answer(frame)
    sad = [Frame(each.image, 1 + each.time_s) for each in frames(1, Emotion.SAD)]
    (face,) = follower.answer(sad[0]).faces
    assert face.emotions.top is Emotion.HAPPY  # one frame changes little


def test_box_grows_with_its_landmarks():
    points = np.array([[10, 10], [20, 10], [10, 20], [20, 20]], np.float32)
    before = Face(Box(5, 5, 25, 25), 0.9, Landmarks(points, "five_points"))
    bigger = Landmarks((points - 15) * 2 + 30, "five_points")
    now = replace(before, landmarks=bigger)
    assert _move_box(before, now) == Box(10, 10, 50, 50)
    assert _move_box(replace(before, landmarks=None), now) == now.box


def test_answers_of_the_networks_are_smoothed_like_the_answer():
    made = FakeEnsemble()
    made._landmarks = SquareLandmarks()
    follower = FaceFollower(made, FaceTracker(smoothing_s=1000))
    follower.answer(next(frames(1, Emotion.HAPPY)))
    (later,) = (replace(each, time_s=0.1) for each in frames(1, Emotion.SAD))
    (face,) = follower.answer(later).faces
    assert face.emotions.top == Emotion.HAPPY
    assert [each.top for each in face.per_model.values()] == ["happy", "happy", "sad"]
