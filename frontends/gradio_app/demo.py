"""The page and its API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from core import (
    Analyzer,
    ModelInfo,
    OperatingPoint,
    Preset,
    ProjectError,
    detector_names,
    model_catalog,
)
from frontends.gradio_app.about_tab import about_tab
from frontends.gradio_app.analyzers import Analyzers, FixedAnalyzer
from frontends.gradio_app.compare_tab import compare_tab
from frontends.gradio_app.live_tab import live_tab
from frontends.gradio_app.photo_tab import photo_tab
from frontends.gradio_app.settings import Offer, config_of, settings_fields
from frontends.wording import MODEL_TITLES, format_model_metrics, model_title

_TEN_MINUTES = 600

_INTRODUCTION = """# Photo Emotion
Every face is framed, numbered and answered with the probability of seven emotions. Use photos of
people who have agreed; the server deletes them after some minutes."""

_LIMITS = """The answers describe expressions, not feelings, and are often wrong for small, dark,
blurred or turned faces. Don't use the answers to make decisions about people."""

_QUEUE: dict[str, Any] = {"concurrency_id": "answers", "concurrency_limit": 1}
"""One at a time, since one answer fills the cores; the others wait in the queue."""


def build_demo(analyzer: Analyzer | None = None) -> gr.Blocks:
    """The page; with ``analyzer`` all answers come from it, else from the model a visitor picks."""
    # analytics_enabled=False also keeps Gradio from looking for a newer version of itself.
    page = gr.Blocks(
        title="Photo Emotion",
        analytics_enabled=False,
        # How often to look, and how old a file goes then: together ten minutes, not twenty.
        delete_cache=(_TEN_MINUTES // 10, _TEN_MINUTES * 9 // 10),
    )
    with page:
        gr.Markdown(_INTRODUCTION)
        if analyzer is None:
            _page_with_choice(page)
        else:
            config = analyzer.config
            models = [(MODEL_TITLES.get(config.model, config.model), config.model)]
            _tabs(
                page,
                FixedAnalyzer(analyzer),
                Offer(models, [config.preset], [], [config.operating_point]),
            )
    page.queue(max_size=32, default_concurrency_limit=1)
    return page


def _page_with_choice(page: gr.Blocks) -> None:
    try:
        models = model_catalog()
    except ProjectError as error:
        gr.Markdown(f"{error.message} {error.hint}")
        return
    trained = [info for info in models if info.trained]
    if not trained:
        gr.Markdown(_nothing_trained(models))
        return
    choices = [
        (": ".join(filter(None, (model_title(info), format_model_metrics(info)))), info.name)
        for info in trained
    ]
    _tabs(
        page,
        Analyzers(),
        Offer(choices, list(Preset), detector_names(), list(OperatingPoint)),
        trained,
    )


def _tabs(
    page: gr.Blocks,
    analyzers: Analyzers | FixedAnalyzer,
    offer: Offer,
    compared: Sequence[ModelInfo] = (),
) -> None:
    settings = settings_fields(offer)
    with gr.Tabs():
        photo_tab(analyzers, settings, _QUEUE)
        live_tab(analyzers, settings)
        if len(compared) > 1:
            compare_tab(analyzers, compared, settings, _QUEUE)
        about_tab()
    gr.Markdown(_LIMITS)

    def prepare() -> None:
        analyzers.prepare([config_of(*(each.value for each in settings.fields))])

    page.load(prepare, queue=False, api_visibility="private")


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
