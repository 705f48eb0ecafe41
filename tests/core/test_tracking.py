"""Faces followed over time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from core import AlignedCrop, Box, Emotion, FaceTracker, Reading
from tests.core.pipeline_parts import face_analysis, scores


def at(x, emotions=None, side=40):
    return face_analysis(1, Box(x, 10, x + side, 10 + side), emotions or scores(happy=1.0))


def looking(seed, x=0, light=1.0):
    """Return a face at ``x`` whose crop is one of several people's."""
    grey = np.random.default_rng(seed).integers(40, 180, (6, 6)).repeat(8, 0).repeat(8, 1)
    crop = AlignedCrop(np.asarray(light * grey, np.uint8), np.eye(2, 3, dtype=np.float32))
    return replace(at(x), crop=crop)


def numbers(faces):
    return [each.number for each in faces]


def test_frame_without_faces_has_no_tracks():
    assert FaceTracker().update([], 0.0) == ()


def test_face_that_moves_a_little_keeps_its_number():
    tracker = FaceTracker()
    assert [numbers(tracker.update([at(x)], t)) for t, x in enumerate((0, 5, 12, 18))] == [[1]] * 4


def test_faces_keep_their_numbers_when_their_order_changes():
    tracker = FaceTracker()
    assert numbers(tracker.update([at(0), at(100)], 0.0)) == [1, 2]
    assert numbers(tracker.update([at(102), at(3)], 0.1)) == [2, 1]


def test_largest_overlap_decides_between_two_faces():
    tracker = FaceTracker()
    tracker.update([at(0), at(30)], 0.0)
    assert numbers(tracker.update([at(26), at(4)], 0.1)) == [2, 1]


def test_number_is_kept_for_a_moment_without_the_face_and_never_used_again():
    tracker = FaceTracker(keep_s=1.0)
    tracker.update([at(0)], 0.0)
    assert tracker.update([], 0.5) == ()
    assert numbers(tracker.update([at(0)], 0.9)) == [1]
    tracker.update([], 1.5)
    assert numbers(tracker.update([at(0)], 2.0)) == [2]


def test_face_keeps_its_number_at_any_frame_rate():
    tracker = FaceTracker(keep_s=1.0)
    tracker.update([at(0)], 0.0)
    assert numbers(tracker.update([at(0)], 5.0)) == [1]


def test_face_elsewhere_gets_another_number():
    tracker = FaceTracker()
    tracker.update([at(0)], 0.0)
    assert numbers(tracker.update([at(200)], 0.1)) == [2]


@pytest.mark.parametrize("frames", [1, 4, 50])
def test_smoothing_is_the_same_at_any_frame_rate(frames):
    tracker = FaceTracker(smoothing_s=0.5)
    tracker.update([at(0, scores(happy=1.0))], 0.0)
    for step in range(1, frames + 1):
        (face,) = tracker.update([at(0, scores(sad=1.0))], step / frames)
    assert face.readings[Reading.PEOPLE][Emotion.HAPPY] == pytest.approx(math.exp(-2))
    assert face.readings[Reading.PEOPLE][Emotion.SAD] == pytest.approx(1 - math.exp(-2))
    assert face.last_s == 1.0


def test_without_smoothing_only_the_newest_answer_counts():
    tracker = FaceTracker(smoothing_s=0)
    tracker.update([at(0, scores(happy=1.0))], 0.0)
    new = scores(certain_from=0.4, sad=1.0)
    (face,) = tracker.update([at(0, new)], 0.01)
    assert face.readings[Reading.PEOPLE] == new


def test_time_that_runs_backwards_is_refused():
    tracker = FaceTracker()
    tracker.update([at(0)], 1.0)
    with pytest.raises(ValueError, match="in order of time"):
        tracker.update([at(0)], 0.5)


def test_answer_of_each_network_is_smoothed_in_the_same_way():
    """Otherwise a face could show an emotion that most networks did not choose."""
    tracker = FaceTracker(smoothing_s=0.5)
    for time_s, said in ((0.0, scores(happy=1.0)), (0.25, scores(sad=1.0))):
        face = replace(at(0, said), per_model={"one": said, "other": scores(neutral=1.0)})
        (result,) = tracker.update([face], time_s)
    assert result.per_model["one"].probabilities == pytest.approx(
        result.readings[Reading.PEOPLE].probabilities
    )
    assert result.per_model["one"][Emotion.HAPPY] == pytest.approx(math.exp(-0.5))
    assert result.per_model["other"][Emotion.NEUTRAL] == pytest.approx(1)


def test_both_readings_are_smoothed():
    tracker = FaceTracker(smoothing_s=0.5)
    tracker.update([at(0)], 0.0)
    other = {Reading.PEOPLE: scores(sad=1.0), Reading.FER2013: scores(angry=1.0)}
    (face,) = tracker.update([replace(at(0), readings=other)], 0.5)
    assert face.readings[Reading.FER2013][Emotion.ANGRY] == pytest.approx(1 - math.exp(-1))
    assert face.readings[Reading.FER2013][Emotion.SAD] == pytest.approx(0.5 * math.exp(-1))


def test_face_that_can_no_longer_be_read_is_not_certain():
    tracker = FaceTracker(smoothing_s=0.5)
    tracker.update([at(0)], 0.0)
    covered = replace(scores(happy=1.0), unreadable="The face may be covered.")
    (face,) = tracker.update([at(0, covered)], 0.1)
    assert not face.readings[Reading.PEOPLE].certain


def test_another_person_after_a_cut_gets_another_number():
    tracker = FaceTracker()
    for number, person in enumerate((1, 2, 3)):
        (first,) = tracker.update([looking(person)], number, cut=number > 0)
        (later,) = tracker.update([looking(person, x=3)], number + 0.5)
        assert (first.number, later.number) == (number + 1, number + 1)
        assert first.readings == looking(person).readings  # nothing of the one before


def test_same_person_after_a_flash_or_a_zoom_keeps_the_number():
    tracker = FaceTracker()
    tracker.update([looking(1)], 0.0)
    assert numbers(tracker.update([looking(1, x=4, light=1.3)], 0.1, cut=True)) == [1]


def test_person_who_takes_the_place_of_one_who_left_gets_another_number():
    tracker = FaceTracker(keep_s=1.0)
    tracker.update([looking(1)], 0.0)
    tracker.update([], 0.3)
    assert numbers(tracker.update([looking(2)], 0.6)) == [2]
    tracker.update([], 0.7)
    assert numbers(tracker.update([looking(2)], 0.8)) == [2]


def test_face_that_a_cut_does_not_show_has_ended():
    tracker = FaceTracker(keep_s=1.0)
    tracker.update([looking(1)], 0.0)
    tracker.update([], 0.1, cut=True)
    assert numbers(tracker.update([looking(1)], 0.2)) == [2]


def test_face_that_is_followed_may_change_its_look():
    """A hand before the face, or a wild grimace, is no other person."""
    tracker = FaceTracker()
    tracker.update([looking(1)], 0.0)
    assert numbers(tracker.update([looking(2)], 0.04)) == [1]


def test_looks_of_tracks_that_ended_are_forgotten():
    tracker = FaceTracker(keep_s=0.5)
    for number in range(50):
        tracker.update([looking(number, x=200 * number)], float(number))
    assert len(tracker._looks) == len(tracker._tracks) <= 2
