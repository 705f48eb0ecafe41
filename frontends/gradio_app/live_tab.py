"""The tab that answers the camera as it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from core import ProjectError
from frontends.gradio_app.analyzers import Analyzers, OneAnalyzer
from frontends.gradio_app.settings import Settings, config_of
from frontends.live import LIVE_HELP, Stream, answered, camera_code, live_config

_CONNECTION = Path(__file__).with_name("camera.js")


def live_tab(analyzers: Analyzers | OneAnalyzer, settings: Settings, queue: dict[str, Any]) -> None:
    """The camera with its faces framed and named, their answers smoothed over time."""
    with gr.Tab("Live", id="live") as tab:
        gr.Markdown(LIVE_HELP)
        html, css, script = camera_code(_CONNECTION)
        camera = gr.HTML(
            html_template=html,
            css_template=css,
            js_on_load=script,
            apply_default_css=False,
            elem_id="camera",
        )
        followed = gr.State(None)

    def take(
        event: gr.EventData, known: Stream | None, model: str, preset: str, *others: Any
    ) -> tuple[dict[str, Any], Stream]:
        message = {part: getattr(event, part, None) for part in ("number", "run", "frames")}
        stream = known or Stream()
        try:
            analyzer = analyzers.get(live_config(config_of(model, preset, *others)))
        except ProjectError as error:
            told = {**message, "frames": [], "problem": f"{error.message} {error.hint}".strip()}
            return told, stream
        return answered(message, stream, analyzer), stream

    def prepare(model: str, preset: str, *others: Any) -> None:
        analyzers.prepare([live_config(config_of(model, preset, *others))])

    camera.frames(
        take,
        [followed, *settings.fields],
        [camera, followed],
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="multiple",
        **queue,
    )
    tab.select(prepare, settings.fields, queue=False, api_visibility="private")
