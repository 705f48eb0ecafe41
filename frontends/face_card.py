"""A card per face, as HTML that both fronts show."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from io import BytesIO
from pathlib import Path

from core import EMOTIONS, Emotion, EmotionScores, FaceAnalysis

from .wording import (
    MODEL_TITLES,
    format_agreement,
    format_answer,
    format_emotion,
    format_face,
    format_reason,
    percent,
)

STYLE_FILE = Path(__file__).with_name("face_card.css")

_IN_FULL = 2
"""Faces whose cards show all seven emotions; with more of them the less probable ones fold out."""
_IN_BRIEF = 3
"""Emotions that a card shows at once then."""


def cards_html(faces: tuple[FaceAnalysis, ...]) -> str:
    """All cards in the order of the faces' numbers; an empty list gives an empty string."""
    if not faces:
        return ""
    brief = len(faces) > _IN_FULL
    return f'<div class="faces">{"".join(face_card(face, brief=brief) for face in faces)}</div>'


def face_card(face: FaceAnalysis, *, brief: bool = False) -> str:
    """One face: number, answer, seven bars, what makes it doubtful, and what the network saw."""
    emotions = face.emotions
    bars = _brief_bars_html(emotions) if brief else bars_html(emotions)
    return (
        f'<article class="face" aria-label="Face {face.index}: {escape(format_face(face))}">'
        f"<header>{number_html(face.index)}{headline_html(emotions)}{crop_html(face)}</header>"
        f"{_doubt(emotions)}{bars}{_hints(face)}{_opinions(face)}</article>"
    )


def headline_html(emotions: EmotionScores) -> str:
    """The answer in large letters, and how probable it is when it is sure."""
    return (
        f'<div class="face-answer"><strong>{_swatch(emotions)}{format_answer(emotions)}</strong>'
        f"{_probability(emotions)}</div>"
    )


def bars_html(emotions: EmotionScores) -> str:
    """The seven probabilities."""
    return _bars(EMOTIONS, emotions)


def _brief_bars_html(emotions: EmotionScores) -> str:
    """The most probable ones, and the others on request."""
    ranked = [emotion for emotion, _ in emotions.ranked()]
    return (
        f"{_bars(ranked[:_IN_BRIEF], emotions)}<details><summary>The other "
        f"{len(ranked) - _IN_BRIEF}</summary>{_bars(ranked[_IN_BRIEF:], emotions)}</details>"
    )


def _bars(shown: Iterable[Emotion], emotions: EmotionScores) -> str:
    return f'<ul class="face-bars">{"".join(_bar(each, emotions) for each in shown)}</ul>'


def number_html(index: int) -> str:
    """A face's number in a circle."""
    return f'<span class="face-number" aria-hidden="true">{index}</span>'


def _swatch(emotions: EmotionScores) -> str:
    if not emotions.certain:
        return ""
    return f'<i class="face-swatch" style="background:{_css(emotions.top)}"></i>'


def _probability(emotions: EmotionScores) -> str:
    return f"<span>{format_reason(emotions)}</span>" if emotions.certain else ""


def _doubt(emotions: EmotionScores) -> str:
    return "" if emotions.certain else f'<p class="face-doubt">{format_reason(emotions)}</p>'


def _bar(emotion: Emotion, emotions: EmotionScores) -> str:
    probability = emotions[emotion]
    leading = ' class="leading"' if emotion is emotions.top else ""
    return (
        f'<li{leading}><span class="word">{format_emotion(emotion)}</span>'
        '<span class="track" aria-hidden="true">'
        f'<i style="width:{probability * 100:.1f}%;background:{_css(emotion)}"></i></span>'
        f'<span class="value">{percent(probability)}</span></li>'
    )


def _hints(face: FaceAnalysis) -> str:
    if not face.quality.reasons:
        return ""
    items = "".join(f"<li>{escape(reason)}</li>" for reason in face.quality.reasons)
    return f'<div class="face-hints"><span>Be careful:</span><ul>{items}</ul></div>'


def _opinions(face: FaceAnalysis) -> str:
    if len(face.per_model) < 2:
        return ""
    items = "".join(
        f"<li>{escape(MODEL_TITLES.get(model, model))}: {format_emotion(scores.top)}, "
        f"{percent(scores[scores.top])}</li>"
        for model, scores in face.per_model.items()
    )
    return f'<div class="face-models"><span>{format_agreement(face)}:</span><ul>{items}</ul></div>'


def crop_html(face: FaceAnalysis) -> str:
    """The face as the network saw it."""
    return (
        f'<img class="face-crop" src="{crop_data_url(face)}" width="64" height="64" '
        f'alt="Face {face.index} as the network saw it: 48 by 48 pixels, grey" '
        'title="What the network saw: 48 x 48 pixels, grey">'
    )


def crop_data_url(face: FaceAnalysis) -> str:
    """What the network saw of the face, as a data address that a page can show."""
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(face.crop.pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _css(emotion: Emotion) -> str:
    return "rgb({},{},{})".format(*emotion.colour)
