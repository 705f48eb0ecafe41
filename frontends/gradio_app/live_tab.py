"""The tab that answers the camera as it runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from core import ProjectError
from frontends.analyzers import Analyzers
from frontends.gradio_app.settings import make_config
from frontends.live import LIVE_HELP, make_live_config, read_camera_code
from frontends.live_socket import LiveSession, camera_path

_SCRIPT = Path(__file__).with_name("camera.js")


def build_live_tab(analyzers: Analyzers, settings: Sequence[Any]) -> None:
    """Build the tab with the camera: faces framed and named, answers smoothed over time."""
    with gr.Tab("Live", id="live") as tab:
        gr.Markdown(LIVE_HELP)
        html, css, script = read_camera_code(_SCRIPT)
        camera = gr.HTML(
            html_template=html,
            css_template=css,
            js_on_load=script,
            apply_default_css=False,
            elem_id="camera",
        )
        kept = gr.State(None)

    def open_camera(known: LiveSession | None, *values: Any) -> tuple[dict[str, str], LiveSession]:
        try:
            config = make_live_config(make_config(*values))
        except ProjectError as error:
            raise gr.Error(f"{error.message} {error.hint}".strip()) from error
        # Relative to the page, which a host may show below a path of its own.
        folder = camera_path().removeprefix("/")
        session = known or LiveSession(partial(analyzers.get, config), folder)
        session.analyzer = partial(analyzers.get, config)
        analyzers.start_loading(config)
        return {"path": session.path}, session

    def follow_settings(known: LiveSession | None, *values: Any) -> tuple[Any, Any]:
        # Visitors who never opened the tab need no model for it.
        return open_camera(known, *values) if known else (gr.skip(), gr.skip())

    options: dict[str, Any] = {
        "inputs": [kept, *settings],
        "outputs": [camera, kept],
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    tab.select(open_camera, **options)
    gr.on([each.change for each in settings], follow_settings, **options)
