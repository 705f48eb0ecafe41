"""Answers as sentences that a person can check by asking friends."""

from __future__ import annotations

import math

from ..labels import Emotion, Reading
from ..types import EmotionScores
from .percent import format_probability

PEOPLE = 10
"""How many people a sentence imagines looking at the face."""
MOST = PEOPLE - 0.25
"""From this many of them on it is "nearly everyone"."""
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
        return f"FER-2013's label is most likely {top} ({format_probability(probability)})."
    if PEOPLE * probability >= MOST:
        return f"Nearly everyone would say {top}."
    _, *others = list(count_people(emotions).items())[:_NAMED]
    rest = "".join(f", {count} {emotion}" for emotion, count in others)
    return f"About {_count_top(emotions)} of {PEOPLE} people would say {top}{rest}."


def format_people(emotions: EmotionScores) -> str:
    """Return how many people would name the most probable emotion: "7 of 10" or "nearly all"."""
    if PEOPLE * emotions.ranked()[0][1] >= MOST:
        return "nearly all"
    return f"{_count_top(emotions)} of {PEOPLE}"


def explain_doubt(emotions: EmotionScores) -> str:
    """Return in a sentence why the answer is "not sure"; empty if it is certain."""
    if emotions.certain:
        return ""
    if emotions.unreadable is not None:
        return f"We can't be sure about this face. {emotions.unreadable}"
    top, probability = emotions.ranked()[0]
    if emotions.reading is Reading.FER2013:
        reached, needed = _format_apart(probability, emotions.certain_from)
        return f"{top.capitalize()} is most likely ({reached}), but we need {needed} to be sure."
    counts = list(count_people(emotions).items())[:_NAMED]
    if len(counts) == 1:
        reached, needed = _format_apart(probability, emotions.certain_from)
        return f"{reached} of people would say {top}, but we need {needed} to be sure."
    votes = ", ".join(f"{count} {emotion}" for emotion, count in counts)
    return f"People would disagree: of {PEOPLE}, {votes}."


def _count_top(emotions: EmotionScores) -> int:
    """Return how many people would name the most probable emotion, never all of them."""
    # If nobody else gets one of the ten, "10 of 10" would say more than "nearly all".
    return min(count_people(emotions)[emotions.top], PEOPLE - 1)


def _format_apart(reached: float, needed: float) -> tuple[str, str]:
    """Return two probabilities as text that differs."""
    texts = format_probability(reached), format_probability(needed)
    if texts[0] != texts[1]:
        return texts
    return f"{reached * 100:.1f} %", f"{needed * 100:.1f} %"
