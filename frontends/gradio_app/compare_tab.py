"""The tab where all models read the same photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from core import ModelInfo
from frontends.analyzers import Analyzers
from frontends.cards import table_html
from frontends.figures import FIGURES_HELP, chart_html, explain_ensemble, list_tables
from frontends.gradio_app.annotated_picture import build_annotated_field
from frontends.gradio_app.answering import (
    HIDDEN_PICTURE,
    Update,
    analyze_upload,
    format_cards,
    format_notice_html,
    format_refusal_html,
    show_loading_message,
    show_picture,
)
from frontends.gradio_app.photo_tab import build_photo_field
from frontends.gradio_app.photo_upload import PhotoUpload, UploadedPhoto
from frontends.gradio_app.settings import make_config
from frontends.model_cards import COMPARE_HELP, TIMES_HELP, compare_models_html, time_model
from frontends.wording import model_title

_INVITATION = "Each model's answer for your photo appears here."


def build_compare_tab(
    analyzers: Analyzers,
    trained: Sequence[ModelInfo],
    settings: Sequence[Any],
    queue: dict[str, Any],
    answered: PhotoUpload,
) -> None:
    """Build the tab with a photo, every trained model's answers, and how good each model is.

    Opening it takes over the photo in the field ``answered``, once.
    """
    with gr.Tab("Compare", id="compare") as tab:
        gr.Markdown(COMPARE_HELP)
        with gr.Row():
            with gr.Column(scale=5, min_width=300):
                photo = build_photo_field()
            with gr.Column(scale=6, min_width=300):
                annotated = build_annotated_field()
        answers = gr.HTML(format_notice_html(_INVITATION), elem_id="opinions")
        _show_measured(trained)
        taken = gr.State(None)  # in the tab: beside it, Gradio would count it as one
    fields = settings[1:]
    gr.on(
        [photo.change, *(each.change for each in fields)],
        make_compare_handler(analyzers, trained),
        [photo, *fields],
        [annotated, answers],
        api_visibility="private",
        trigger_mode="always_last",
        show_progress_on=answers,
        **queue,
    )

    def start_loading(*others: Any) -> None:
        analyzers.start_loading(*(make_config(info.name, *others) for info in trained))

    tab.select(start_loading, fields, queue=False, api_visibility="private")
    tab.select(
        take_over,
        [answered, taken],
        [photo, taken],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )


def take_over(newest: UploadedPhoto | None, known: UploadedPhoto | None) -> tuple[Any, Any]:
    """Return the first tab's photo twice, to show and to remember; nothing if it is ``known``."""
    if newest is None or newest == known:
        return gr.skip(), gr.skip()
    return newest, newest


def make_compare_handler(
    analyzers: Analyzers, trained: Sequence[ModelInfo]
) -> Callable[..., tuple[Update, str]]:
    """Return the function that gives the annotated picture and every model's answers."""

    def compare(photo: UploadedPhoto | None, *others: Any) -> tuple[Update, str]:
        if photo is None:
            return HIDDEN_PICTURE, format_notice_html(_INVITATION)
        for info in trained:
            show_loading_message(analyzers, info.name, *others)
        try:
            image, analysis = analyze_upload(photo, analyzers, trained[0].name, *others)
            loaded = [(info, analyzers.get(make_config(info.name, *others))) for info in trained]
        except gr.Error as error:
            return HIDDEN_PICTURE, format_refusal_html(error)
        if not analysis.faces:
            return show_picture(image, analysis), format_cards(analysis)
        faces = [face.face for face in analysis.faces]
        answers = [
            time_model(model_title(info), analyzer, image, faces) for info, analyzer in loaded
        ]
        html = compare_models_html(analysis.faces, answers)
        return show_picture(image, analysis), f'{html}<p class="small">{TIMES_HELP}</p>'

    return compare


def _show_measured(trained: Sequence[ModelInfo]) -> None:
    tables = list(list_tables(trained))
    if tables:
        gr.Markdown(f"## How good each model is\n{FIGURES_HELP}\n\n{explain_ensemble(trained)}")
        for each in tables:
            gr.Markdown(f"**{each.title}.** {each.text}")
            gr.HTML(table_html(each.rows, each.title))
        if chart := chart_html(trained):
            gr.HTML(chart)
