"""From an uploaded photo to what the page and the API give back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from core import (
    ImageAnalysis,
    OperatingPoint,
    Preset,
    ProjectError,
    RgbImage,
    annotate,
    read_image,
    to_json,
)
from frontends.face_card import cards_html
from frontends.gradio_app.analyzers import Analyzers, OneAnalyzer
from frontends.gradio_app.photo_upload import UploadedPhoto, refusal
from frontends.gradio_app.settings import AUTOMATIC, RECOMMENDED_VALUE, config_of
from frontends.rest import REST_S, Rest, let_go
from frontends.wording import NO_FACE, NO_FACE_HELP, count_words, face_words, shown_name

Reply = tuple[NDArray[np.uint8], str, str]
"""The annotated picture, the cards as HTML, the document as JSON text."""

Update = dict[str, Any]
"""What changes about a field of the page."""

_REST = Rest(REST_S, let_go)

INVITATION = "The faces of your photo appear here, each with its answer."


def answer_with(analyzers: Analyzers | OneAnalyzer) -> Callable[..., Reply]:
    """The function behind the API; it refuses with an error that a person understands."""

    # Their names are the API's; Gradio hands them over by position.
    def analyze(  # noqa: PLR0917
        photo: UploadedPhoto | None,
        model: str,
        preset: str = Preset.BALANCED,
        detector: str = AUTOMATIC,
        operating_point: str = OperatingPoint.BALANCED,
        certain_from: str | float = RECOMMENDED_VALUE,
    ) -> Reply:
        settings = (model, preset, detector, operating_point, certain_from)
        image, analysis = answered(photo, analyzers, *settings)
        return annotate(image, analysis).pixels, cards_of(analysis), to_json(analysis)

    return analyze


def answered(
    photo: UploadedPhoto | None, analyzers: Analyzers | OneAnalyzer, *settings: Any
) -> tuple[RgbImage, ImageAnalysis]:
    """The photo and its answer; gr.Error tells why there is none."""
    if photo is None:
        raise refusal("There is no photo.", "Send one, then try again.")
    _REST.interrupt()
    try:
        config = config_of(*settings)
        image = read_image(photo.path, name=photo.name)
        return image, analyzers.get(config).analyze(image)
    except ProjectError as error:
        raise refusal(error.message, error.hint) from error


def show_with(analyzers: Analyzers | OneAnalyzer) -> Callable[..., list[Any]]:
    """The same for the page: picture, cards, document, and whether there is a document.

    A refusal takes the place of the cards, an empty field clears all.
    """

    def show(photo: UploadedPhoto | None, *settings: Any) -> list[Any]:
        if photo is None:
            return _fields(told(INVITATION))
        tell_of_loading(analyzers, *settings)
        try:
            image, analysis = answered(photo, analyzers, *settings)
        except gr.Error as error:
            return _fields(refused_html(error))
        return _fields(cards_of(analysis), picture_of(image, analysis), to_json(analysis))

    return show


def _fields(cards: str, picture: Update | None = None, document: str = "") -> list[Any]:
    return [picture or no_picture(), cards, document, gr.update(visible=bool(document))]


def picture_of(image: RgbImage, analysis: ImageAnalysis) -> Update:
    """The annotated picture, described for those who cannot see it."""
    faces = "; ".join(f"{face.index} {face_words(face)}" for face in analysis.faces)
    described = f"{count_words(analysis)} in {shown_name(analysis.name)}"
    return gr.update(
        value=annotate(image, analysis).pixels,
        alt_text=f"{described}: {faces}" if faces else described,
        visible=True,
    )


def no_picture() -> Update:
    """Where there is no answer there is no picture."""
    return gr.update(value=None, visible=False)


def tell_of_loading(analyzers: Analyzers | OneAnalyzer, *settings: Any) -> None:
    """A message while a model is loaded, which takes longer than an answer."""
    with suppress(ProjectError):  # told with the answer
        if not analyzers.ready(config_of(*settings)):
            gr.Info("Loading a model takes a few seconds the first time.", title="One moment")


def cards_of(analysis: ImageAnalysis) -> str:
    """A card per face as HTML, or that there is none and what may help."""
    notes = "".join(f"<p>{escape(note)}</p>" for note in analysis.notes)
    if analysis.faces:
        return notes + cards_html(analysis.faces)
    return notes + told(f"<strong>{NO_FACE}</strong><p>{NO_FACE_HELP.replace('**', '')}</p>")


def refused_html(error: gr.Error) -> str:
    """A refusal in the place of the answer; its texts are HTML already."""
    return told(f"<strong>{error.title}.</strong><p>{error.message}</p>", role="alert")


def told(html: str, role: str = "status") -> str:
    """A message in the place of an answer; screen readers say it when it appears."""
    return f'<div class="notice" role="{role}">{html}</div>'
