"""A card per face, as HTML that both fronts show."""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO
from pathlib import Path

from core import EMOTIONS, Emotion, EmotionScores, FaceAnalysis

from .wording import agreement_words, answer_reason, answer_words, emotion_word, face_words, percent

STYLE_FILE = Path(__file__).with_name("face_card.css")


def cards_html(faces: tuple[FaceAnalysis, ...]) -> str:
    """All cards in the order of the faces' numbers; an empty list gives an empty string."""
    if not faces:
        return ""
    return f'<div class="faces">{"".join(face_card(face) for face in faces)}</div>'


def face_card(face: FaceAnalysis) -> str:
    """One face: number, answer, seven bars, what makes it doubtful, and what the network saw."""
    emotions = face.emotions
    return (
        f'<article class="face" aria-label="Face {face.index}: {escape(face_words(face))}">'
        f"<header>{number_html(face.index)}{headline_html(emotions)}{crop_html(face)}</header>"
        f"{_doubt(emotions)}{bars_html(emotions)}{_hints(face)}{_opinions(face)}</article>"
    )


def headline_html(emotions: EmotionScores) -> str:
    """The answer in large letters, and how probable it is when it is sure."""
    return (
        f'<div class="face-answer"><strong>{_swatch(emotions)}{answer_words(emotions)}</strong>'
        f"{_probability(emotions)}</div>"
    )


def bars_html(emotions: EmotionScores) -> str:
    """The seven probabilities."""
    return f'<ul class="face-bars">{"".join(_bar(e, emotions) for e in EMOTIONS)}</ul>'


def number_html(index: int) -> str:
    """A face's number in a circle."""
    return f'<span class="face-number" aria-hidden="true">{index}</span>'


def _swatch(emotions: EmotionScores) -> str:
    if not emotions.certain:
        return ""
    return f'<i class="face-swatch" style="background:{_css(emotions.top)}"></i>'


def _probability(emotions: EmotionScores) -> str:
    return f"<span>{answer_reason(emotions)}</span>" if emotions.certain else ""


def _doubt(emotions: EmotionScores) -> str:
    return "" if emotions.certain else f'<p class="face-doubt">{answer_reason(emotions)}</p>'


def _bar(emotion: Emotion, emotions: EmotionScores) -> str:
    probability = emotions[emotion]
    leading = ' class="leading"' if emotion is emotions.top else ""
    return (
        f'<li{leading}><span class="word">{emotion_word(emotion)}</span>'
        '<span class="track" aria-hidden="true">'
        f'<i style="width:{probability * 100:.1f}%;background:{_css(emotion)}"></i></span>'
        f'<span class="value">{percent(probability)}</span></li>'
    )


def _hints(face: FaceAnalysis) -> str:
    if not face.quality.reasons:
        return ""
    items = "".join(f"<li>{escape(reason)}</li>" for reason in face.quality.reasons)
    return f'<div class="face-hints"><span>Take with care:</span><ul>{items}</ul></div>'


def _opinions(face: FaceAnalysis) -> str:
    if len(face.per_model) < 2:
        return ""
    items = "".join(
        f"<li>{escape(model)}: {emotion_word(scores.top)}, {percent(scores[scores.top])}</li>"
        for model, scores in face.per_model.items()
    )
    return f'<div class="face-opinions"><span>{agreement_words(face)}:</span><ul>{items}</ul></div>'


def crop_html(face: FaceAnalysis) -> str:
    """The face as the network saw it."""
    return (
        f'<img class="face-crop" src="{_data_uri(face)}" width="64" height="64" '
        f'alt="Face {face.index} as the network saw it: 48 by 48 pixels, grey" '
        'title="What the network saw: 48 x 48 pixels, grey">'
    )


def _data_uri(face: FaceAnalysis) -> str:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(face.crop.pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _css(emotion: Emotion) -> str:
    return "rgb({},{},{})".format(*emotion.colour)
