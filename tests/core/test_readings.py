"""Both readings of a face, and faces that no answer is certain for."""

from __future__ import annotations

import numpy as np
import pytest

from core import EMOTIONS, Box, Emotion, Face, Reading, RgbImage
from core.calibration import Calibration
from core.classifiers.model import EmotionModel, Member
from tests.core.pipeline_parts import analyzer, five_points


class TwoHeads:
    """A label head that says sad, and a crowd head that says neutral."""

    def logits(self, crops):
        rows = np.zeros((len(crops), 2, len(EMOTIONS)), np.float32)
        rows[:, 0, EMOTIONS.index(Emotion.SAD)] = 2.0
        rows[:, 1, EMOTIONS.index(Emotion.NEUTRAL)] = 3.0
        return rows


def read_face(landmarks=None, box=None, **options):
    """Return the answer for one face of the two heads above."""
    calibrations = {
        Reading.PEOPLE: Calibration(crowd_share=0.75, certain_from=0.5),
        Reading.FER2013: Calibration(certain_from=0.5),
    }
    made = analyzer(Face(box or Box(10, 10, 58, 58), 0.9), landmarks=landmarks, **options)
    member = Member(TwoHeads(), calibrations)
    made._model = EmotionModel({"mobilenet_v2": member}, {"mobilenet_v2": 1.0}, calibrations)
    return made.analyze(RgbImage(np.full((100, 200, 3), 128, np.uint8))).faces[0]


def test_answer_is_what_people_would_see_unless_the_label_is_wanted():
    landmarks = five_points(10, 10)
    people, label = read_face(landmarks), read_face(landmarks, reading="fer2013")
    assert (people.emotions.top, label.emotions.top) == (Emotion.NEUTRAL, Emotion.SAD)
    assert people.readings == label.readings
    assert people.emotions.reading is Reading.PEOPLE
    assert label.per_model["mobilenet_v2"] == label.readings[Reading.FER2013]


def test_level_in_the_options_is_about_the_shown_reading():
    face = read_face(five_points(10, 10), certain_from=0.99)
    assert not face.emotions.certain
    assert face.readings[Reading.FER2013].certain


@pytest.mark.parametrize(
    ("landmarks", "box"),
    [(None, None), (five_points(10, 10, 0.4), Box(10, 10, 29, 29))],
)
def test_face_that_cannot_be_read_is_never_certain(landmarks, box):
    face = read_face(landmarks, box)
    assert face.emotions[Emotion.NEUTRAL] > 0.5
    assert not face.emotions.certain
    assert not face.readings[Reading.FER2013].certain
    assert not face.per_model["mobilenet_v2"].certain
    assert face.quality.unreadable in face.quality.reasons


def test_classifier_from_outside_answers_with_both_of_its_heads():
    made = analyzer(Face(Box(10, 10, 58, 58), 0.9), landmarks=five_points(10, 10))
    made._model = EmotionModel.from_single_classifier("theirs", TwoHeads(), Calibration())
    (face,) = made.analyze(RgbImage(np.full((100, 200, 3), 128, np.uint8))).faces
    tops = [face.readings[each].top for each in (Reading.PEOPLE, Reading.FER2013)]
    assert tops == [Emotion.NEUTRAL, Emotion.SAD]
