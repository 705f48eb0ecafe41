"""What several models say of the same face, side by side, as HTML that both fronts show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from core import EmotionScores, FaceAnalysis

from .face_card import bars_html, crop_html, headline_html, number_html


@dataclass(frozen=True, slots=True)
class Opinion:
    """One model's answers to all faces of a photo."""

    title: str
    note: str
    """What stands below the title: how long it took."""
    scores: tuple[EmotionScores, ...]
    """In the order of the faces."""


def opinions_html(faces: Sequence[FaceAnalysis], opinions: Sequence[Opinion]) -> str:
    """For each face a row with a card per model; no face gives an empty string."""
    return "".join(
        f'<section class="compared" aria-label="Face {face.index}">'
        f"<header>{number_html(face.index)}{crop_html(face)}</header>"
        f'<div class="faces">{"".join(_card(each, place) for each in opinions)}</div></section>'
        for place, face in enumerate(faces)
    )


def _card(opinion: Opinion, place: int) -> str:
    emotions = opinion.scores[place]
    return (
        f'<article class="face"><h4>{escape(opinion.title)}</h4>'
        f'<p class="face-note">{escape(opinion.note)}</p>'
        f"<header>{headline_html(emotions)}</header>{bars_html(emotions)}</article>"
    )
