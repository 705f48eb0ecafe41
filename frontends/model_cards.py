"""What several models say about the same face, side by side, as both fronts show it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core import Face, FaceAnalysis, RgbImage

from .cards import model_cards_html
from .wording import format_agreement, format_face_count

if TYPE_CHECKING:
    from core import Analyzer

COMPARE_HELP = "All models read the same faces. If they disagree, don't trust the answer."
TIMES_HELP = (
    "Times are for this computer: turning the faces upright and reading them. Finding the "
    "faces is not included; it takes the same time for every model."
)


@dataclass(frozen=True, slots=True)
class ModelAnswers:
    """One model's answers to all faces of a photo."""

    title: str
    note: str
    """Shown below the title: how long it took."""
    faces: tuple[FaceAnalysis, ...]
    networks: int
    """How many answer together in it."""


def time_model(
    title: str, analyzer: Analyzer, image: RgbImage, faces: Sequence[Face]
) -> ModelAnswers:
    """Return what a model says about ``faces``, and how long it takes."""
    # The first answer of a network just loaded is slower than all that follow.
    analyzer.analyze_faces(image, faces)
    started = time.perf_counter()
    answers = analyzer.analyze_faces(image, faces)
    milliseconds = 1000 * (time.perf_counter() - started)
    count = format_face_count(len(faces))
    return ModelAnswers(
        title,
        f"{milliseconds:.0f} ms for {count}",
        answers,
        max((len(each.per_model) for each in answers), default=1),
    )


def compare_models_html(faces: Sequence[FaceAnalysis], models: Sequence[ModelAnswers]) -> str:
    """Return, for each face, whether the networks agree, and a card per model."""
    return model_cards_html(
        [
            (
                face,
                _format_agreement(face, models, place),
                [(each.title, each.note, each.faces[place]) for each in models],
            )
            for place, face in enumerate(faces)
        ]
    )


def _format_agreement(face: FaceAnalysis, models: Sequence[ModelAnswers], place: int) -> str:
    # A model of several networks is made of the others and has no vote of its own.
    votes = {each.title: each.faces[place].emotions for each in models if each.networks == 1}
    return format_agreement(replace(face, per_model=votes))
