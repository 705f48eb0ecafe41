"""Answers as sentences that a person can check by asking friends."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..labels import Emotion, Reading
from ..types import EmotionScores
from .percent import format_probability

PEOPLE = 10
"""How many people a sentence imagines looking at the face."""
NEARLY_EVERYONE = 0.95
"""Share of people from which a sentence counts no one any more."""
_MAJORITY = 6
"""More of ten people than this do not disagree; they are only fewer than the level demands."""
_SCATTERED = 2
"""With at most this many of ten for each emotion, rounding decides which come first."""
_NAMED = 3
"""Emotions in a sentence."""


def count_people(emotions: EmotionScores) -> dict[Emotion, int]:
    """Return how many of ten people would name each emotion, most first, without those with none.

    The numbers sum to ten (largest remainder method).
    """
    votes = [(emotion, PEOPLE * share) for emotion, share in emotions.ranked()]
    counts = {emotion: math.floor(number) for emotion, number in votes}
    by_remainder = sorted(votes, key=lambda vote: math.floor(vote[1]) - vote[1])
    for emotion, _ in by_remainder[: PEOPLE - sum(counts.values())]:
        counts[emotion] += 1
    return {emotion: count for emotion, count in counts.items() if count}


def describe_people(emotions: EmotionScores) -> str:
    """Return the answer in words.

    "About 7 of 10 people would say neutral, 2 sad.", or the most likely label of FER-2013.
    """
    top, probability = emotions.ranked()[0]
    if emotions.reading is Reading.FER2013:
        return f"FER-2013's label: {top}, {format_probability(probability)} probable."
    if probability >= NEARLY_EVERYONE:
        return f"Nearly everyone would say {top}."
    (first, most), *others = _choose_counts(emotions)
    return f"About {most} of {PEOPLE} people would say {first}{_list_counts(others)}."


def format_people(emotions: EmotionScores) -> tuple[str, tuple[str, ...]]:
    """Return how many people would name the most likely emotion, and what others would say.

    ("7 of 10", ("2 sad", "1 fear")), or ("nearly all", ()).
    """
    if emotions.ranked()[0][1] >= NEARLY_EVERYONE:
        return "nearly all", ()
    (_, most), *others = _choose_counts(emotions)
    return f"{most} of {PEOPLE}", tuple(f"{count} {emotion}" for emotion, count in others)


def explain_doubt(emotions: EmotionScores) -> str:
    """Return in a sentence why the answer is "not sure"; empty if it is certain."""
    if emotions.certain:
        return ""
    if emotions.unreadable is not None:
        return f"We can't be sure about this face. {emotions.unreadable}"
    top, probability = emotions.ranked()[0]
    reached, needed = _format_apart(probability, emotions.certain_from)
    if emotions.reading is Reading.FER2013:
        return f"{top.capitalize()} is most likely ({reached}), but we need {needed} to be sure."
    counts = _choose_counts(emotions)
    most = counts[0][1]
    if most > _MAJORITY:
        share = reached[0].upper() + reached[1:]
        return f"{share} of people would say {top}, but we need {needed} to be sure."
    if most <= _SCATTERED:
        return f"People would disagree: no more than {most} of {PEOPLE} would say the same."
    return f"People would disagree: of {PEOPLE}{_list_counts(counts)}."


def _choose_counts(emotions: EmotionScores) -> list[tuple[Emotion, int]]:
    """Return the emotions and counts of a sentence, most first.

    To reach ten, :func:`count_people` may give a person to an emotion that 2 % would name. No
    count here is above its own share rounded.
    """
    counts = [
        (emotion, min(count, math.floor(PEOPLE * emotions[emotion] + 0.5)))
        for emotion, count in count_people(emotions).items()
    ]
    return [(emotion, count) for emotion, count in counts if count][:_NAMED]


def _list_counts(counts: Iterable[tuple[Emotion, int]]) -> str:
    return "".join(f", {count} {emotion}" for emotion, count in counts)


def _format_apart(reached: float, needed: float) -> tuple[str, str]:
    """Return two probabilities as text that differs."""
    texts = format_probability(reached), format_probability(needed)
    if texts[0] == texts[1]:
        texts = f"{reached * 100:.1f} %", f"{needed * 100:.1f} %"
    if texts[0] == texts[1]:
        return f"just below {texts[1]}", texts[1]
    return texts
