"""The page that answers the camera as it runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core import ModelInfo
from frontends.live import LIVE_HELP, make_live_config, read_camera_code
from frontends.live_socket import LiveSession, camera_path
from frontends.streamlit_app.state import ready_analyzer
from frontends.streamlit_app.views.model_page import model_page
from frontends.streamlit_app.views.sidebar import choose_settings

_SCRIPT = Path(__file__).parents[1] / "camera.js"


@model_page("Live", LIVE_HELP)
def page(models: Sequence[ModelInfo]) -> None:
    """Show the camera with its faces framed and named."""
    analyzer = ready_analyzer(make_live_config(choose_settings(models, with_preset=False)))
    if "live" not in st.session_state:
        folder = camera_path(st.get_option("server.baseUrlPath"))
        st.session_state["live"] = LiveSession(lambda: analyzer, folder)
    session: LiveSession = st.session_state["live"]
    session.analyzer = lambda: analyzer
    with st.container(key="live_stage"):
        _camera()(key="live_camera", data={"path": session.path, "kept": session.kept_html})


@cache
def _camera() -> Any:
    html, css, js = read_camera_code(_SCRIPT)
    return st.components.v2.component("live_camera", html=html, css=css, js=js)
