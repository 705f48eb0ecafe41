"""The tab where all models answer the same photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import gradio as gr

from core import ModelInfo
from frontends.figures import FIGURES_HELP, curves, metric_rows
from frontends.gradio_app.analyzers import Analyzers, FixedAnalyzer
from frontends.gradio_app.annotated_picture import annotated_field
from frontends.gradio_app.answering import (
    Update,
    analyze_upload,
    format_cards,
    hide_picture,
    notice_html,
    refused_html,
    show_loading_message,
    show_picture,
)
from frontends.gradio_app.photo_tab import photo_field
from frontends.gradio_app.photo_upload import UploadedPhoto
from frontends.gradio_app.settings import Settings, config_of
from frontends.model_cards import COMPARE_HELP, TIMES_HELP, model_cards_html, time_model
from frontends.wording import model_title

_INVITATION = "Each model's answer for your photo appears here."


def compare_tab(
    analyzers: Analyzers | FixedAnalyzer,
    trained: Sequence[ModelInfo],
    settings: Settings,
    queue: dict[str, Any],
) -> None:
    """One photo, every trained model, and how good each was measured to be."""
    with gr.Tab("Compare", id="compare") as tab:
        gr.Markdown(COMPARE_HELP)
        with gr.Row():
            with gr.Column(scale=5, min_width=300):
                photo = photo_field()
            with gr.Column(scale=6, min_width=300):
                annotated = annotated_field()
        opinions = gr.HTML(notice_html(_INVITATION), elem_id="opinions")
        _measured(trained)
    fields = settings.fields[1:]
    gr.on(
        [photo.change, *(each.change for each in fields)],
        make_compare_handler(analyzers, trained),
        [photo, *fields],
        [annotated, opinions],
        api_visibility="private",
        trigger_mode="always_last",
        show_progress_on=opinions,
        **queue,
    )

    def prepare(*others: Any) -> None:
        analyzers.prepare([config_of(info.name, *others) for info in trained])

    tab.select(prepare, fields, queue=False, api_visibility="private")


def make_compare_handler(
    analyzers: Analyzers | FixedAnalyzer, trained: Sequence[ModelInfo]
) -> Callable[..., tuple[Update, str]]:
    """The annotated picture, and what every model says of its faces."""

    def compare(photo: UploadedPhoto | None, *others: Any) -> tuple[Update, str]:
        if photo is None:
            return hide_picture(), notice_html(_INVITATION)
        first = trained[0].name
        for info in trained:
            show_loading_message(analyzers, info.name, *others)
        try:
            image, analysis = analyze_upload(photo, analyzers, first, *others)
            each = [(info, analyzers.get(config_of(info.name, *others))) for info in trained]
        except gr.Error as error:
            return hide_picture(), refused_html(error)
        if not analysis.faces:
            return show_picture(image, analysis), format_cards(analysis)
        faces = [face.face for face in analysis.faces]
        opinions = [
            time_model(model_title(info), analyzer, image, faces) for info, analyzer in each
        ]
        html = model_cards_html(analysis.faces, opinions)
        return show_picture(image, analysis), f'{html}<p class="small">{TIMES_HELP}</p>'

    return compare


def _measured(trained: Sequence[ModelInfo]) -> None:
    rows = metric_rows(trained)
    if rows:
        gr.Markdown(f"## How good each model is\n{FIGURES_HELP}")
        gr.HTML(table_html(rows))
        with gr.Row():
            for file, text in curves():
                with gr.Column(min_width=300):
                    gr.Image(
                        file,
                        label=text,
                        show_label=False,
                        alt_text=text,
                        interactive=False,
                        buttons=["fullscreen"],
                    )
                    gr.Markdown(text)


def table_html(rows: Sequence[dict[str, str]]) -> str:
    """The rows as a table that scrolls sideways where it is too wide, with the keyboard too."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in rows[0])
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(value)}</td>" if place else f'<th scope="row">{escape(value)}</th>'
            for place, value in enumerate(row.values())
        )
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="figures" tabindex="0" role="region" aria-label="How good each model is">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
