"""From an uploaded photo to what the page and the API give back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from core import (
    AnalyzerConfig,
    ImageAnalysis,
    OperatingPoint,
    Preset,
    ProjectError,
    Reading,
    RgbImage,
    annotate,
    read_image,
    to_json,
)
from frontends.analyzers import Analyzers
from frontends.cards import cards_html
from frontends.gradio_app.downloads import save_files
from frontends.gradio_app.photo_upload import UploadedPhoto, refusal
from frontends.gradio_app.settings import AUTOMATIC, RECOMMENDED_VALUE, make_config, parse_turn
from frontends.idle import IDLE_S, IdleTasks, free_memory
from frontends.wording import NO_FACE, NO_FACE_HELP, describe_faces, display_name, format_face_count

Reply = tuple[NDArray[np.uint8], str, str]
"""The annotated picture, the cards as HTML and the document as JSON text."""

Update = dict[str, Any]
"""Changes of a field of the page."""

_IDLE_TASKS = IdleTasks(IDLE_S, free_memory)

HIDDEN_PICTURE = gr.update(value=None, visible=False)
INVITATION = "Your photo appears here with each face and its emotions."


def make_api_handler(analyzers: Analyzers) -> Callable[..., Reply]:
    """Return the function behind the API; its errors are in plain words."""

    # The API has the same names; Gradio passes the values by position.
    def analyze(  # noqa: PLR0917
        photo: UploadedPhoto | None,
        model: str,
        preset: str = Preset.BALANCED,
        detector: str = AUTOMATIC,
        operating_point: str = OperatingPoint.BALANCED,
        certain_from: str | float = RECOMMENDED_VALUE,
        reading: str = Reading.PEOPLE,
        turn: str = AUTOMATIC,
    ) -> Reply:
        settings = (model, preset, detector, operating_point, certain_from, reading)
        image, analysis = analyze_upload(photo, analyzers, *settings, turn=turn)
        return annotate(image, analysis).pixels, format_cards(analysis), to_json(analysis)

    return analyze


def analyze_upload(
    photo: UploadedPhoto | None, analyzers: Analyzers, *settings: Any, turn: str = AUTOMATIC
) -> tuple[RgbImage, ImageAnalysis]:
    """Return the photo, turned as for its answer, and the answer; gr.Error says why not.

    ``turn`` is in degrees clockwise.
    """
    if photo is None:
        raise refusal("There is no photo.", "Add one, then try again.")
    try:
        return answer_photo(photo, analyzers, make_config(*settings), turn=turn)
    except ProjectError as error:
        raise refusal(error.message, error.hint) from error


def answer_photo(
    photo: UploadedPhoto, analyzers: Analyzers, config: AnalyzerConfig, turn: str = AUTOMATIC
) -> tuple[RgbImage, ImageAnalysis]:
    """Return the same; ProjectError says why not."""
    _IDLE_TASKS.note_activity()
    image = read_image(photo.path, name=photo.name)
    analysis = analyzers.get(config).analyze(image, turn=parse_turn(turn))
    return image.turn_to(analysis.turned), analysis


def make_page_handler(analyzers: Analyzers) -> Callable[..., list[Any]]:
    """Return the same for the page: picture, cards, document, whether to show that, and files.

    A refusal replaces the cards; an empty field clears everything.
    """

    def show(photo: UploadedPhoto | None, *settings: Any, turn: str = AUTOMATIC) -> list[Any]:
        if photo is None:
            return _fields(format_notice_html(INVITATION))
        show_loading_message(analyzers, *settings)
        try:
            image, analysis = analyze_upload(photo, analyzers, *settings, turn=turn)
        except gr.Error as error:
            return _fields(format_refusal_html(error))
        return _fields(
            format_cards(analysis),
            show_picture(image, analysis),
            to_json(analysis),
            save_files(image, analysis),
        )

    return show


def _fields(
    cards: str,
    picture: Update | None = None,
    document: str = "",
    files: Sequence[str | None] = (None, None),
) -> list[Any]:
    return [
        picture or HIDDEN_PICTURE,
        cards,
        document,
        gr.update(visible=bool(document)),
        *(gr.update(value=file, visible=file is not None) for file in files),
        gr.update(visible=files[0] is not None),
    ]


def show_picture(image: RgbImage, analysis: ImageAnalysis) -> Update:
    """Return the annotated picture with a description for those who cannot see it."""
    text = f"{display_name(analysis.name)}: {format_face_count(len(analysis.faces))}."
    return gr.update(
        value=annotate(image, analysis).pixels,
        alt_text=f"{text} {describe_faces(analysis)}".strip(),
        visible=True,
    )


def show_loading_message(analyzers: Analyzers, *settings: Any) -> None:
    """Show a message while a model is loading, which takes longer than an answer."""
    with suppress(ProjectError):  # reported with the answer
        if analyzers.is_loading(make_config(*settings)):
            gr.Info("Loading a model takes a few seconds the first time.", title="One moment")


def format_cards(analysis: ImageAnalysis) -> str:
    """Return a card per face as HTML, or that there is none and what may help."""
    notes = "".join(f"<p>{escape(note)}</p>" for note in analysis.notes)
    if analysis.faces:
        return notes + cards_html(analysis.faces, (analysis.width, analysis.height))
    return notes + format_notice_html(
        f"<strong>{NO_FACE}</strong><p>{NO_FACE_HELP.replace('**', '')}</p>"
    )


def format_refusal_html(error: gr.Error) -> str:
    """Return the HTML of a refusal in place of the answer; its texts are HTML already."""
    return format_notice_html(
        f"<strong>{error.title}.</strong><p>{error.message}</p>", role="alert"
    )


def format_notice_html(html: str, role: str = "status") -> str:
    """Return the HTML of a message in place of an answer; screen readers say it when it appears."""
    return f'<div class="notice" role="{role}">{html}</div>'
