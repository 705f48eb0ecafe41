"""The canonical order is a contract with every weight file."""

from __future__ import annotations

from itertools import combinations

from core import EMOTIONS, Emotion


def test_order_is_fer_2013_s():
    words = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert [str(emotion) for emotion in EMOTIONS] == words
    assert list(Emotion) == list(EMOTIONS)


def test_colours_are_told_apart():
    for one, other in combinations(EMOTIONS, 2):
        distance = sum((a - b) ** 2 for a, b in zip(one.colour, other.colour, strict=True))
        assert distance > 60**2, f"{one} and {other}"
