"""What several models say of the same face, side by side, as HTML that both fronts show."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from core import EmotionScores, Face, FaceAnalysis, RgbImage

from .face_card import bars_html, crop_html, headline_html, number_html
from .wording import ENSEMBLE, MODEL_TITLES, format_agreement

if TYPE_CHECKING:
    from core import Analyzer

COMPARE_HELP = (
    "Every model answers the same faces of the same photo. Where they disagree, the photo is "
    "a hard one."
)
TIMES_HELP = (
    "Times are for this computer: turning the faces upright and reading them. Finding the "
    "faces takes the same time for every model and is not included."
)


@dataclass(frozen=True, slots=True)
class ModelAnswers:
    """One model's answers to all faces of a photo."""

    title: str
    note: str
    """What stands below the title: how long it took."""
    scores: tuple[EmotionScores, ...]
    """In the order of the faces."""


def time_model(
    title: str, analyzer: Analyzer, image: RgbImage, faces: Sequence[Face]
) -> ModelAnswers:
    """What a model says of ``faces``, and how long it takes once it has run."""
    # The first answer of a network just loaded is slower than all that follow.
    analyzer.analyze_faces(image, faces)
    started = time.perf_counter()
    answers = analyzer.analyze_faces(image, faces)
    milliseconds = 1000 * (time.perf_counter() - started)
    count = "1 face" if len(faces) == 1 else f"{len(faces)} faces"
    return ModelAnswers(
        title, f"{milliseconds:.0f} ms for {count}", tuple(each.emotions for each in answers)
    )


def model_cards_html(faces: Sequence[FaceAnalysis], opinions: Sequence[ModelAnswers]) -> str:
    """For each face whether the networks agree, and a card per model; no face, no text."""
    return "".join(
        f'<section class="compared" aria-label="Face {face.index}">'
        f"<header>{number_html(face.index)}{crop_html(face)}"
        f"<span>{_agreement(face, opinions, place)}</span></header>"
        f'<div class="faces">{"".join(_card(each, place) for each in opinions)}</div></section>'
        for place, face in enumerate(faces)
    )


def _agreement(face: FaceAnalysis, opinions: Sequence[ModelAnswers], place: int) -> str:
    # The ensemble is made of the others and has no vote of its own.
    votes = [each for each in opinions if each.title != MODEL_TITLES[ENSEMBLE]]
    asked = replace(face, per_model={each.title: each.scores[place] for each in votes})
    return format_agreement(asked)


def _card(opinion: ModelAnswers, place: int) -> str:
    emotions = opinion.scores[place]
    return (
        f'<article class="face"><h4>{escape(opinion.title)}</h4>'
        f'<p class="face-note">{escape(opinion.note)}</p>'
        f"<header>{headline_html(emotions)}</header>{bars_html(emotions)}</article>"
    )
