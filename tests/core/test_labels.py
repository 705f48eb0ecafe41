"""Weight files depend on the order of the emotions."""

from __future__ import annotations

from itertools import combinations

from core import EMOTIONS, Emotion


def test_order_is_that_of_fer_2013():
    words = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert [str(emotion) for emotion in EMOTIONS] == words
    assert list(Emotion) == list(EMOTIONS)


def test_every_emotion_has_its_own_colour():
    for one, other in combinations(EMOTIONS, 2):
        distance = sum((a - b) ** 2 for a, b in zip(one.colour, other.colour, strict=True))
        assert distance > 60**2, f"{one} and {other}"
