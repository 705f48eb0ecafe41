"""The seven emotions of FER-2013 (order, words, colours) and the two readings of a face."""

from __future__ import annotations

from enum import StrEnum


class Emotion(StrEnum):
    """One of FER-2013's classes; the order of the members is the order of every array."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"

    @property
    def colour(self) -> tuple[int, int, int]:
        """RGB from the Okabe-Ito palette (2008), which colour-blind people can tell apart."""
        return _COLOURS[self]


class Reading(StrEnum):
    """What an answer is about."""

    PEOPLE = "people"
    """What people would see in the face: the share of them who would name each emotion."""
    FER2013 = "fer2013"
    """Which label the face would have in FER-2013, for comparison with papers."""


EMOTIONS: tuple[Emotion, ...] = tuple(Emotion)

_COLOURS: dict[Emotion, tuple[int, int, int]] = {
    Emotion.ANGRY: (213, 94, 0),
    Emotion.DISGUST: (0, 158, 115),
    Emotion.FEAR: (204, 121, 167),
    Emotion.HAPPY: (240, 228, 66),
    Emotion.SAD: (0, 114, 178),
    Emotion.SURPRISE: (230, 159, 0),
    Emotion.NEUTRAL: (153, 153, 153),
}
