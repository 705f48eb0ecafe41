"""Answers in words: numbers of people that add up, and never more certainty than there is."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from core import Reading, count_people, describe_people, explain_doubt, format_people
from tests.core.pipeline_parts import scores


@pytest.mark.parametrize(
    ("emotions", "short", "sentence"),
    [
        (
            scores(neutral=0.68, sad=0.22, happy=0.1),
            "7 of 10",
            "About 7 of 10 people would say neutral, 2 sad, 1 happy.",
        ),
        (scores(happy=0.975, sad=0.025), "nearly all", "Nearly everyone would say happy."),
        (scores(happy=1.0), "nearly all", "Nearly everyone would say happy."),
        (scores(happy=0.9749, sad=0.0251), "9 of 10", "About 9 of 10 people would say happy."),
        (
            scores(happy=0.92, sad=0.02, fear=0.02, angry=0.02, disgust=0.02),
            "9 of 10",
            "About 9 of 10 people would say happy.",
        ),
        (
            scores(happy=0.9, sad=0.1),
            "9 of 10",
            "About 9 of 10 people would say happy, 1 sad.",
        ),
    ],
)
def test_answer_is_told_as_numbers_of_people(emotions, short, sentence):
    assert format_people(emotions) == short
    assert describe_people(emotions) == sentence


def test_numbers_of_people_add_up_to_ten_with_the_most_first():
    for happy, sad in itertools.product(range(21), range(21)):
        if happy + sad <= 20:
            rest = (20 - happy - sad) / 40
            counts = count_people(scores(happy=happy / 20, sad=sad / 20, fear=rest, angry=rest))
            assert sum(counts.values()) == 10
            assert list(counts.values()) == sorted(counts.values(), reverse=True)
            assert min(counts.values()) > 0


def test_label_reading_is_told_as_a_probability():
    emotions = replace(scores(happy=0.7, sad=0.3), reading=Reading.FER2013)
    assert describe_people(emotions) == "FER-2013's label is most likely happy (70 %)."


@pytest.mark.parametrize(
    ("emotions", "sentence"),
    [
        (scores(0.5, happy=0.7, sad=0.3), ""),
        (
            scores(0.8, happy=0.7, sad=0.3),
            "People would disagree: of 10, 7 happy, 3 sad.",
        ),
        (
            replace(scores(0.8, happy=0.7, sad=0.3), reading=Reading.FER2013),
            "Happy is most likely (70 %), but we need 80 % to be sure.",
        ),
        (
            replace(scores(0.7004, happy=0.7, sad=0.3), reading=Reading.FER2013),
            "Happy is most likely (70.0 %), but we need 70.0 % to be sure.",
        ),
        (
            replace(scores(0.5, happy=0.7, sad=0.3), unreadable="The face is small."),
            "We can't be sure about this face. The face is small.",
        ),
    ],
)
def test_doubt_is_explained(emotions, sentence):
    assert explain_doubt(emotions) == sentence
