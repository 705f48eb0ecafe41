"""The tab that answers one photo, also as an API."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from frontends.analyzers import Analyzers
from frontends.gradio_app.annotated_picture import build_annotated_field
from frontends.gradio_app.answering import (
    INVITATION,
    format_notice_html,
    make_api_handler,
    make_page_handler,
)
from frontends.gradio_app.downloads import BLURRED_HELP, build_buttons
from frontends.gradio_app.photo_upload import PhotoUpload, UploadedPhoto
from frontends.gradio_app.settings import AUTOMATIC
from frontends.gradio_app.several_fields import build_several_fields
from frontends.sample import SAMPLE_CREDIT, SAMPLE_NAME, sample_photo

_API_HELP = (
    "Finds the faces of a photo and reads their emotions. Returns the annotated picture, a card "
    "per face as HTML, and the data as JSON text."
)


def build_photo_tab(
    analyzers: Analyzers, settings: Sequence[Any], queue: dict[str, Any]
) -> PhotoUpload:
    """Build the tab that shows a photo beside its answer; return the field of the photo."""
    with gr.Tab("Photo", id="photo"):
        with gr.Row():
            with gr.Column(scale=5, min_width=300):
                photo = build_photo_field()
                turn = _build_turn_field()
            with gr.Column(scale=6, min_width=300):
                annotated = build_annotated_field("faces")
                cards = gr.HTML(format_notice_html(INVITATION), label="Cards", elem_id="cards")
                with gr.Row():
                    files = build_buttons()
                about_blurred = gr.Markdown(f"<small>{BLURRED_HELP}</small>", visible=False)
                with gr.Accordion("Data (JSON)", open=False, visible=False) as folded:
                    document = gr.Code(
                        language="json", label="The whole answer", max_lines=24, interactive=False
                    )
        build_several_fields(analyzers, settings, queue)
        # The code field trims its text; a caller of the API gets the exact document.
        exact = gr.Textbox(label="Document", visible=False)
        api_button = gr.Button(visible=False)
    show_answer = make_page_handler(analyzers)

    # Gradio passes the values of the fields by position.
    def show(photo: UploadedPhoto | None, turn: str, *values: Any) -> list[Any]:
        return show_answer(photo, *values, turn=turn)

    options: dict[str, Any] = {
        "api_visibility": "private",
        "trigger_mode": "always_last",
        "show_progress_on": cards,
        **queue,
    }
    outputs = [annotated, cards, document, folded, *files, about_blurred]
    # A turn is meant for one photo: the next one is turned by its faces again. Only `input` tells
    # a visitor's choice from that.
    photo.change(lambda: AUTOMATIC, None, turn, api_visibility="private", queue=False)
    photo.change(show_answer, [photo, *settings], outputs, **options)
    gr.on(
        [turn.input, *(each.change for each in settings)],
        show,
        [photo, turn, *settings],
        outputs,
        **options,
    )
    api_button.click(
        make_api_handler(analyzers),
        [photo, *settings, turn],
        [annotated, cards, exact],
        api_name="analyze",
        api_description=_API_HELP,
        **queue,
    )
    return photo


def _build_turn_field() -> gr.Radio:
    return gr.Radio(
        [("Automatic", AUTOMATIC), *((f"{each}°", str(each)) for each in (0, 90, 180, 270))],
        value=AUTOMATIC,
        label="Turn the photo",
        info="Clockwise. Change it if a face is missed or not upright.",
    )


def build_photo_field() -> PhotoUpload:
    """Build a field for a photo, with one to try."""
    photo = PhotoUpload(
        label="Photo",
        type="filepath",
        image_mode=None,
        sources=["upload", "webcam", "clipboard"],
        height=360,
        alt_text="Your photo",
        elem_classes="photo",
        buttons=["fullscreen"],
    )
    gr.Examples(
        [[_sample_file()]],
        inputs=[photo],
        # A thumbnail would be a button without a name.
        example_labels=["Portrait of an astronaut"],
        label="No photo at hand? Try this one",
        cache_examples=False,
        api_visibility="private",
    )
    gr.Markdown(f"<small>{SAMPLE_CREDIT}</small>")
    return photo


def _sample_file() -> str:
    folder = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()) / "sample"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / SAMPLE_NAME
    file.write_bytes(sample_photo())
    return str(file)
