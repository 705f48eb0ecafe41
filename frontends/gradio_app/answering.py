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
from frontends.gradio_app.analyzers import Analyzers, FixedAnalyzer
from frontends.gradio_app.photo_upload import UploadedPhoto, refusal
from frontends.gradio_app.settings import AUTOMATIC, RECOMMENDED_VALUE, config_of
from frontends.idle import IDLE_S, IdleTasks, free_memory
from frontends.wording import NO_FACE, NO_FACE_HELP, describe_faces, display_name, format_face_count

Reply = tuple[NDArray[np.uint8], str, str]
"""The annotated picture, the cards as HTML, the document as JSON text."""

Update = dict[str, Any]
"""What changes about a field of the page."""

_IDLE_TASKS = IdleTasks(IDLE_S, free_memory)

INVITATION = "Your photo appears here with each face and its emotions."


def make_api_handler(analyzers: Analyzers | FixedAnalyzer) -> Callable[..., Reply]:
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
        image, analysis = analyze_upload(photo, analyzers, *settings)
        return annotate(image, analysis).pixels, format_cards(analysis), to_json(analysis)

    return analyze


def analyze_upload(
    photo: UploadedPhoto | None, analyzers: Analyzers | FixedAnalyzer, *settings: Any
) -> tuple[RgbImage, ImageAnalysis]:
    """The photo and its answer; gr.Error tells why there is none."""
    if photo is None:
        raise refusal("There is no photo.", "Send one, then try again.")
    _IDLE_TASKS.note_activity()
    try:
        config = config_of(*settings)
        image = read_image(photo.path, name=photo.name)
        return image, analyzers.get(config).analyze(image)
    except ProjectError as error:
        raise refusal(error.message, error.hint) from error


def make_page_handler(analyzers: Analyzers | FixedAnalyzer) -> Callable[..., list[Any]]:
    """The same for the page: picture, cards, document, and whether there is a document.

    A refusal takes the place of the cards, an empty field clears all.
    """

    def show(photo: UploadedPhoto | None, *settings: Any) -> list[Any]:
        if photo is None:
            return _fields(notice_html(INVITATION))
        show_loading_message(analyzers, *settings)
        try:
            image, analysis = analyze_upload(photo, analyzers, *settings)
        except gr.Error as error:
            return _fields(refused_html(error))
        return _fields(format_cards(analysis), show_picture(image, analysis), to_json(analysis))

    return show


def _fields(cards: str, picture: Update | None = None, document: str = "") -> list[Any]:
    return [picture or hide_picture(), cards, document, gr.update(visible=bool(document))]


def show_picture(image: RgbImage, analysis: ImageAnalysis) -> Update:
    """Return the annotated picture with a description for those who cannot see it."""
    described = f"{display_name(analysis.name)}: {format_face_count(analysis)}."
    return gr.update(
        value=annotate(image, analysis).pixels,
        alt_text=f"{described} {describe_faces(analysis)}".strip(),
        visible=True,
    )


def hide_picture() -> Update:
    """Where there is no answer there is no picture."""
    return gr.update(value=None, visible=False)


def show_loading_message(analyzers: Analyzers | FixedAnalyzer, *settings: Any) -> None:
    """A message while a model is loaded, which takes longer than an answer."""
    with suppress(ProjectError):  # reported with the answer
        if not analyzers.ready(config_of(*settings)):
            gr.Info("Loading a model takes a few seconds the first time.", title="One moment")


def format_cards(analysis: ImageAnalysis) -> str:
    """A card per face as HTML, or that there is none and what may help."""
    notes = "".join(f"<p>{escape(note)}</p>" for note in analysis.notes)
    if analysis.faces:
        return notes + cards_html(analysis.faces)
    return notes + notice_html(f"<strong>{NO_FACE}</strong><p>{NO_FACE_HELP.replace('**', '')}</p>")


def refused_html(error: gr.Error) -> str:
    """A refusal in the place of the answer; its texts are HTML already."""
    return notice_html(f"<strong>{error.title}.</strong><p>{error.message}</p>", role="alert")


def notice_html(html: str, role: str = "status") -> str:
    """A message in the place of an answer; screen readers say it when it appears."""
    return f'<div class="notice" role="{role}">{html}</div>'
