"""From an uploaded photo to what the page and the API give back."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from core import ImageAnalysis, Preset, ProjectError, annotate, read_isolated, to_json
from frontends.face_card import cards_html
from frontends.gradio_app.analyzers import Analyzers, OneAnalyzer
from frontends.gradio_app.photo_upload import UploadedPhoto, refusal
from frontends.wording import NO_FACE, NO_FACE_HELP

Reply = tuple[NDArray[np.uint8] | None, str, str]
"""The annotated picture, the cards as HTML, the document as JSON text."""

Answering = Callable[[UploadedPhoto | None, str, str], Reply]
"""A photo, a model and a preset in, the reply out."""


def answer_with(analyzers: Analyzers | OneAnalyzer) -> Answering:
    """The function behind the API; it refuses with an error that a person understands."""

    def analyze(photo: UploadedPhoto | None, model: str, preset: str) -> Reply:
        if photo is None:
            raise refusal("There is no photo.", "Send one, then try again.")
        try:
            image = read_isolated(photo.path, name=photo.name)
            analysis = analyzers.get(model, Preset(preset)).analyze(image)
        except ProjectError as error:
            raise refusal(error.message, error.hint) from error
        return annotate(image, analysis).pixels, cards_of(analysis), to_json(analysis)

    return analyze


def shown_on_page(analyze: Answering) -> Answering:
    """The same for the page: a refusal takes the place of the cards, an empty field clears all."""

    def show(photo: UploadedPhoto | None, model: str, preset: str) -> Reply:
        if photo is None:
            return None, "", ""
        try:
            return analyze(photo, model, preset)
        except gr.Error as error:
            message = f"<strong>{error.title}.</strong><p>{error.message}</p>"
            return None, f'<div class="told" role="alert">{message}</div>', ""

    return show


def cards_of(analysis: ImageAnalysis) -> str:
    """A card per face as HTML, or that there is none and what may help."""
    notes = "".join(f"<p>{escape(note)}</p>" for note in analysis.notes)
    if analysis.faces:
        return notes + cards_html(analysis.faces)
    help_text = NO_FACE_HELP.replace("**", "")
    return f'{notes}<div class="told"><strong>{NO_FACE}</strong><p>{help_text}</p></div>'
