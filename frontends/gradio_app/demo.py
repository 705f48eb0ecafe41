"""The page and its API."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from core import Analyzer, ModelInfo, Preset, ProjectError, model_catalog
from frontends.gradio_app.analyzers import Analyzers, OneAnalyzer
from frontends.gradio_app.answering import answer_with, shown_on_page
from frontends.gradio_app.photo_upload import PhotoUpload
from frontends.sample import SAMPLE_NAME, sample_photo
from frontends.wording import (
    MODEL_TITLES,
    PRESET_HELP,
    SAMPLE_CREDIT,
    model_facts,
    model_title,
)

_TEN_MINUTES = 600

_INTRODUCTION = """# Photo Emotion
Every face is framed, numbered and answered with the probability of seven emotions. Use photos of
people who agreed to it; the server deletes them after some minutes."""

_LIMITS = """The answers describe expressions, not feelings, and are often wrong for small, dark,
blurred or turned faces. Do not decide about people by them."""

_API_HELP = (
    "Finds the faces of a photo and reads their emotions. Returns the annotated picture, a card "
    "per face as HTML, and the document as JSON text."
)


def build_demo(analyzer: Analyzer | None = None) -> gr.Blocks:
    """The page; with ``analyzer`` all answers come from it, else from the model a visitor picks."""
    # analytics_enabled=False also keeps Gradio from looking for a newer version of itself.
    page = gr.Blocks(
        title="Photo Emotion",
        analytics_enabled=False,
        delete_cache=(_TEN_MINUTES, _TEN_MINUTES),
    )
    with page:
        gr.Markdown(_INTRODUCTION)
        if analyzer is None:
            _page_with_choice(page)
        else:
            name, preset = analyzer.config.model, analyzer.config.preset
            models = [(MODEL_TITLES.get(name, name), name)]
            _answering_page(page, models, [preset], OneAnalyzer(analyzer))
    page.queue(max_size=32, default_concurrency_limit=1)
    return page


def _page_with_choice(page: gr.Blocks) -> None:
    try:
        models = model_catalog()
    except ProjectError as error:
        gr.Markdown(f"{error.message} {error.hint}")
        return
    trained = [
        (": ".join(filter(None, (model_title(info), model_facts(info)))), info.name)
        for info in models
        if info.trained
    ]
    if trained:
        _answering_page(page, trained, list(Preset), Analyzers())
    else:
        gr.Markdown(_nothing_trained(models))


def _answering_page(
    page: gr.Blocks,
    models: Sequence[tuple[str, str]],
    presets: Sequence[Preset],
    analyzers: Analyzers | OneAnalyzer,
) -> None:
    first_model = models[0][1]
    first_preset = Preset.BALANCED if Preset.BALANCED in presets else presets[0]
    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            photo = PhotoUpload(
                label="Photo",
                type="filepath",
                image_mode=None,
                sources=["upload", "webcam", "clipboard"],
                height=360,
                alt_text="The photo to answer",
                buttons=["fullscreen"],
            )
            # A single choice is no choice: such a field is kept for the API alone.
            model = gr.Dropdown(
                list(models), value=first_model, label="Model", visible=len(models) > 1
            )
            preset = gr.Radio(
                [
                    (f"{each.value.capitalize()}: {PRESET_HELP[each]}", each.value)
                    for each in presets
                ],
                value=first_preset.value,
                label="How thoroughly to look for faces",
                visible=len(presets) > 1,
            )
            gr.Examples(
                [[_sample_file()]],
                inputs=[photo],
                label="No photo at hand? Try this one",
                cache_examples=False,
                api_visibility="private",
            )
            gr.Markdown(f"<small>{SAMPLE_CREDIT}</small>")
        with gr.Column(scale=6, min_width=300):
            annotated = gr.Image(
                label="Faces",
                show_label=False,
                format="png",
                interactive=False,
                buttons=["download", "fullscreen"],
                alt_text="The photo with every face framed, numbered and named",
            )
            cards = gr.HTML(label="Cards", elem_id="cards")
            with gr.Accordion("Document (JSON)", open=False):
                document = gr.Code(
                    language="json", label="The whole answer", max_lines=24, interactive=False
                )
    gr.Markdown(_LIMITS)
    # The code field trims what it is given; a caller of the API gets the document to the byte.
    exact = gr.Textbox(label="Document", visible=False)
    inputs = [photo, model, preset]
    analyze = answer_with(analyzers)
    # One at a time, since one answer fills the cores; the others wait in the queue.
    queue: dict[str, Any] = {"concurrency_id": "answers", "concurrency_limit": 1}
    gr.on(
        [photo.change, model.change, preset.change],
        shown_on_page(analyze),
        inputs,
        [annotated, cards, document],
        api_visibility="private",
        trigger_mode="always_last",
        **queue,
    )
    gr.Button(visible=False).click(
        analyze,
        inputs,
        [annotated, cards, exact],
        api_name="analyze",
        api_description=_API_HELP,
        **queue,
    )
    page.load(partial(analyzers.prepare, first_model, first_preset), api_visibility="private")


def _nothing_trained(models: Sequence[ModelInfo]) -> str:
    lines = [
        f"- {model_title(info)}: `{info.how_to_get}`"
        for info in models
        if info.how_to_get.startswith("emotion ")
    ]
    return (
        "No network is trained on this computer yet, so photos cannot be answered. "
        "Train one, then start the demo again:\n\n" + "\n".join(lines)
    )


def _sample_file() -> str:
    folder = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()) / "sample"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / SAMPLE_NAME
    file.write_bytes(sample_photo())
    return str(file)
