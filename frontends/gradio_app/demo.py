"""The page and its API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from core import (
    MODEL_TITLES,
    Analyzer,
    ModelInfo,
    ProjectError,
    Reading,
    detector_names,
    model_catalog,
)
from frontends.admission import MAX_WAITING
from frontends.analyzers import Analyzers
from frontends.choices import LEVEL_HELP
from frontends.gradio_app.about_tab import build_about_tab
from frontends.gradio_app.compare_tab import build_compare_tab
from frontends.gradio_app.live_tab import build_live_tab
from frontends.gradio_app.photo_tab import build_photo_tab
from frontends.gradio_app.settings import build_settings_fields, make_config
from frontends.gradio_app.video_tab import build_video_tab
from frontends.wording import (
    INTRODUCTION,
    NOTHING_TRAINED,
    format_model_metrics,
    model_title,
)

KEEP_S = 600
"""After that time at the latest, what visitors sent is deleted."""

_INTRODUCTION = f"""# Photo Emotion
{INTRODUCTION} Use photos only of people who have agreed. Every upload is deleted within ten
minutes."""

_LIMITS = """The answers say what people would see in a face, not what the person feels, and are
often wrong for small, dark, blurred or turned faces. Don't use the answers to make decisions about
people."""

_QUEUE: dict[str, Any] = {"concurrency_id": "answers", "concurrency_limit": 1}
"""One at a time, since one answer fills the cores; the others wait in the queue."""


def build_demo(analyzer: Analyzer | None = None) -> gr.Blocks:
    """Return the page; ``analyzer`` gives all answers, if given, else the model a visitor picks."""
    # analytics_enabled=False also keeps Gradio from looking for a newer version of itself.
    page = gr.Blocks(
        title="Photo Emotion",
        analytics_enabled=False,
        # How often to look, and how old files to delete: ten minutes together, not twenty.
        delete_cache=(KEEP_S // 10, KEEP_S * 9 // 10),
    )
    analyzers = Analyzers(analyzer)
    page.analyzers = analyzers  # the plain API answers with the same ones
    with page:
        gr.Markdown(_INTRODUCTION)
        if analyzer is None:
            _show_choice(page, analyzers)
        else:
            config = analyzer.config
            models = [(MODEL_TITLES.get(config.model, config.model), config.model)]
            fields = build_settings_fields(
                models, [config.preset], [], [config.operating_point], [config.reading]
            )
            _show_tabs(page, analyzers, fields)
    page.queue(max_size=MAX_WAITING, default_concurrency_limit=1)
    return page


def _show_choice(page: gr.Blocks, analyzers: Analyzers) -> None:
    try:
        models = model_catalog()
    except ProjectError as error:
        gr.Markdown(f"{error.message} {error.hint}")
        return
    trained = [info for info in models if info.trained]
    if not trained:
        commands = [
            f"- {model_title(info)}: `{info.how_to_get}`"
            for info in models
            if info.how_to_get.startswith("emotion ")
        ]
        advice = f"{NOTHING_TRAINED} Train one, then start the demo again:"
        gr.Markdown("\n".join([advice, "", *commands]))
        return
    fields = build_settings_fields(
        _list_choices(trained, Reading.PEOPLE), detectors=detector_names()
    )
    _show_tabs(page, analyzers, fields, trained)
    model, *_, level, reading = fields

    def follow_reading(chosen: str) -> tuple[Any, Any]:
        each = Reading(chosen)
        return gr.update(choices=_list_choices(trained, each)), gr.update(info=LEVEL_HELP[each])

    reading.change(
        follow_reading,
        reading,
        [model, level],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )


def _list_choices(trained: Sequence[ModelInfo], reading: Reading) -> list[tuple[str, str]]:
    """Return title and name of each model, with how good it is at ``reading``."""
    return [
        (
            ": ".join(filter(None, (model_title(info), format_model_metrics(info, reading)))),
            info.name,
        )
        for info in trained
    ]


def _show_tabs(
    page: gr.Blocks,
    analyzers: Analyzers,
    fields: Sequence[Any],
    compared: Sequence[ModelInfo] = (),
) -> None:
    with gr.Tabs():
        photo = build_photo_tab(analyzers, fields, _QUEUE)
        build_live_tab(analyzers, fields)
        build_video_tab(analyzers, fields, keep_s=KEEP_S)
        if len(compared) > 1:
            build_compare_tab(analyzers, compared, fields, _QUEUE, photo)
        build_about_tab()
    gr.Markdown(_LIMITS)

    def start_loading() -> None:
        analyzers.start_loading(make_config(*(each.value for each in fields)))

    page.load(start_loading, queue=False, api_visibility="private")
