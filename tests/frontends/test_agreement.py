"""Whether the networks of an ensemble agree, as data and in words."""

from __future__ import annotations

import dataclasses

import pytest

from core import Agreement, Box, document
from frontends.cards import cards_html
from frontends.model_cards import ModelAnswers, compare_models_html
from frontends.wording import format_agreement
from tests.core.pipeline_parts import face_analysis, image_analysis, scores


def answered(*tops):
    names = ("mobilenet_v2", "resnet50", "inception_v3")
    per_model = {
        name: scores(**{top: 0.6, "neutral": 0.4}) for name, top in zip(names, tops, strict=False)
    }
    return dataclasses.replace(face_analysis(1, Box(0, 0, 60, 60)), per_model=per_model)


@pytest.mark.parametrize(
    ("tops", "agreement", "words"),
    [
        (("happy", "happy", "happy"), Agreement.ALL, "All 3 networks agree"),
        (("sad", "happy", "happy"), Agreement.MAJORITY, "2 of 3 networks say happy"),
        (("sad", "happy", "angry"), Agreement.SPLIT, "The networks disagree"),
        (("sad", "happy"), Agreement.SPLIT, "The networks disagree"),
        (("sad",), None, ""),
    ],
)
def test_agreement_of_the_networks_is_counted_and_described(tops, agreement, words):
    face = answered(*tops)
    assert face.agreement == agreement
    assert format_agreement(face) == words
    result = document(image_analysis(face))["faces"][0]["agreement"]
    assert result == (agreement and str(agreement))
    assert words in cards_html((face,))
    assert ("networks" in cards_html((face,))) == bool(agreement)


@pytest.mark.parametrize(
    ("tops", "unsure", "words"),
    [
        (("sad",) * 3, 1, "All 3 networks find sad most likely; 1 is not sure"),
        (("sad",) * 3, 2, "All 3 networks find sad most likely; 2 are not sure"),
        (("sad", "sad", "happy"), 1, "2 of 3 networks find sad most likely; 1 is not sure"),
        (("sad", "happy", "angry"), 3, "The networks disagree; none is sure"),
    ],
)
def test_agreement_says_how_many_networks_are_not_sure(tops, unsure, words):
    face = answered(*tops)
    per_model = {
        name: dataclasses.replace(each, certain_from=0.9 if place < unsure else each.certain_from)
        for place, (name, each) in enumerate(face.per_model.items())
    }
    assert format_agreement(dataclasses.replace(face, per_model=per_model)) == words


def test_model_of_several_networks_has_no_vote_among_them():
    happy, sad = (
        face_analysis(1, Box(0, 0, 60, 60), scores(**{top: 0.9, "neutral": 0.1}))
        for top in ("happy", "sad")
    )
    models = [
        ModelAnswers("First", "", (happy,), 1),
        ModelAnswers("Second", "", (happy,), 1),
        ModelAnswers("All together", "", (sad,), 3),
    ]
    assert "All 2 networks agree" in compare_models_html([answered("happy")], models)
