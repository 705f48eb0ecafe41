"""Answers as sentences about ten people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core import (
    EMOTIONS,
    EmotionScores,
    Reading,
    count_people,
    describe_people,
    explain_doubt,
    format_people,
    format_probability,
)
from tests.core.pipeline_parts import scores

COVERED = "Eyes and mouth could not be located; the face may be covered."


def spread(**shares: float) -> EmotionScores:
    """Return scores with the given shares; the other emotions have equal parts of the rest."""
    others = [each for each in EMOTIONS if each not in shares]
    rest = (1 - sum(shares.values())) / len(others)
    return scores(**{**shares, **dict.fromkeys(others, rest)})


def by_label(emotions: EmotionScores) -> EmotionScores:
    return replace(emotions, reading=Reading.FER2013)


@pytest.mark.parametrize(
    ("emotions", "counts"),
    [
        (scores(happy=1.0), {"happy": 10}),
        (scores(neutral=0.72, sad=0.2, angry=0.08), {"neutral": 7, "sad": 2, "angry": 1}),
        (scores(sad=0.5, neutral=0.5), {"sad": 5, "neutral": 5}),
        # 3.5 and 3.5 and 3.0: the first of the equal ones gets the last person.
        (scores(sad=0.35, neutral=0.35, fear=0.3), {"sad": 4, "fear": 3, "neutral": 3}),
        (scores(happy=0.97, sad=0.03), {"happy": 10}),
    ],
)
def test_shares_become_counts_of_ten_people(emotions, counts):
    assert count_people(emotions) == counts


def test_counts_always_sum_to_ten_and_stay_within_one_person_of_the_share():
    random = np.random.default_rng(7)
    for alpha in (0.1, 1, 10):
        for row in random.dirichlet([alpha] * len(EMOTIONS), 300).tolist():
            emotions = EmotionScores(tuple(row))
            counts = count_people(emotions)
            assert sum(counts.values()) == 10
            assert all(abs(counts.get(e, 0) - 10 * emotions[e]) < 1 for e in EMOTIONS)


def test_counts_begin_with_the_most_likely_emotion():
    assert next(iter(count_people(scores(sad=0.48, neutral=0.52)))) == "neutral"


@pytest.mark.parametrize(
    ("emotions", "sentence"),
    [
        (scores(neutral=0.78, sad=0.22), "About 8 of 10 people would say neutral, 2 sad."),
        (
            scores(neutral=0.6, sad=0.2, angry=0.11, fear=0.09),
            "About 6 of 10 people would say neutral, 2 sad, 1 angry.",
        ),
        (scores(happy=0.95, sad=0.05), "Nearly everyone would say happy."),
        (scores(happy=1.0), "Nearly everyone would say happy."),
        (scores(happy=0.94, sad=0.06), "About 9 of 10 people would say happy, 1 sad."),
        # To reach ten, somebody would be left over whom no emotion has earned.
        (spread(happy=0.92), "About 9 of 10 people would say happy."),
        (spread(happy=0.9), "About 9 of 10 people would say happy."),
    ],
)
def test_answer_says_how_many_people_would_agree(emotions, sentence):
    assert describe_people(emotions) == sentence


@pytest.mark.parametrize(
    ("emotions", "people", "others"),
    [
        (scores(neutral=0.68, sad=0.22, happy=0.1), "7 of 10", ("2 sad", "1 happy")),
        (scores(happy=0.9, sad=0.1), "9 of 10", ("1 sad",)),
        (scores(happy=0.94, sad=0.06), "9 of 10", ("1 sad",)),
        (spread(happy=0.92), "9 of 10", ()),
        (scores(happy=0.95, sad=0.05), "nearly all", ()),
        (scores(happy=1.0), "nearly all", ()),
    ],
)
def test_few_words_say_the_same_as_the_sentence(emotions, people, others):
    assert format_people(emotions) == (people, others)
    assert all(each in describe_people(emotions) for each in others)


def test_label_is_described_by_its_probability():
    label = by_label(scores(sad=0.62, neutral=0.38))
    assert describe_people(label) == "FER-2013's label: sad, 62 % probable."
    nearly = by_label(scores(sad=0.999, neutral=0.001))
    assert describe_people(nearly) == "FER-2013's label: sad, > 99 % probable."


@pytest.mark.parametrize(
    ("emotions", "sentence"),
    [
        (scores(0.5, sad=0.5, neutral=0.5), ""),
        (
            scores(0.6, sad=0.42, neutral=0.4, fear=0.18),
            "People would disagree: of 10, 4 sad, 4 neutral, 2 fear.",
        ),
        (scores(0.7, sad=0.6, neutral=0.4), "People would disagree: of 10, 6 sad, 4 neutral."),
        (spread(sad=1 / 7), ""),
        (
            scores(0.9, sad=0.71, neutral=0.29),
            "71 % of people would say sad, but we need 90 % to be sure.",
        ),
        (
            scores(0.9, sad=0.899, neutral=0.101),
            "89.9 % of people would say sad, but we need 90.0 % to be sure.",
        ),
    ],
)
def test_doubt_says_how_people_would_disagree(emotions, sentence):
    assert explain_doubt(emotions) == sentence


def test_equally_likely_emotions_have_equal_counts():
    doubtful = replace(spread(fear=0.31), certain_from=0.4)
    assert explain_doubt(doubtful) == "People would disagree: of 10, 3 fear, 1 angry, 1 disgust."


def test_doubt_names_no_emotion_if_all_are_about_as_likely():
    scattered = replace(spread(sad=0.2), certain_from=0.5)
    result = "People would disagree: no more than 2 of 10 would say the same."
    assert explain_doubt(scattered) == result


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.42, "Sad is most likely (42 %), but we need 52 % to be sure."),
        (0.519, "Sad is most likely (51.9 %), but we need 52.0 % to be sure."),
    ],
)
def test_doubt_about_a_label_compares_it_with_the_level(probability, words):
    label = by_label(scores(0.52, sad=probability, neutral=1 - probability - 0.3, fear=0.3))
    assert explain_doubt(label) == words


@pytest.mark.parametrize("reading", Reading)
def test_doubt_names_what_makes_a_face_unreadable(reading):
    emotions = replace(scores(happy=0.99, sad=0.01), unreadable=COVERED, reading=reading)
    assert not emotions.certain
    assert explain_doubt(emotions) == f"We can't be sure about this face. {COVERED}"


def test_sentences_hold_the_same_number_as_the_bars():
    emotions = scores(0.8, sad=0.74, neutral=0.26)
    assert format_probability(emotions[emotions.top]) in explain_doubt(emotions)


@pytest.mark.parametrize("reading", Reading)
def test_share_just_below_the_level_is_not_written_as_the_level(reading):
    shares = [0.0] * len(EMOTIONS)
    shares[3], shares[4] = 0.94996, 0.05004
    doubt = explain_doubt(EmotionScores(tuple(shares), 0.95, reading))
    assert "ust below 95.0 %" in doubt
    assert doubt.endswith("but we need 95.0 % to be sure.")
