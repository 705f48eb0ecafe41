"""The page that answers the camera as it runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core import ProjectError, model_catalog
from frontends.live import LIVE_HELP, make_live_config, read_camera_code
from frontends.live_socket import LiveSession, camera_path
from frontends.streamlit_app.state import ready_analyzer, start_loading
from frontends.streamlit_app.views.analyze import show_nothing_trained, show_problem
from frontends.streamlit_app.views.sidebar import choose_settings

_SCRIPT = Path(__file__).parents[1] / "camera.js"


def page() -> None:
    """The camera with its faces framed and named."""
    st.title("Live", anchor=False)
    st.markdown(LIVE_HELP)
    try:
        models = model_catalog()
        if not any(info.trained for info in models):
            show_nothing_trained(models)
            return
        chosen = choose_settings(models, with_preset=False)
        config = make_live_config(chosen)
        start_loading(config)
        analyzer = ready_analyzer(config)
    except ProjectError as error:
        show_problem(error)
        return
    if "live" not in st.session_state:
        st.session_state["live"] = LiveSession(lambda: analyzer)
    session: LiveSession = st.session_state["live"]
    session.analyzer = lambda: analyzer
    path = f"{camera_path(st.get_option('server.baseUrlPath'))}/{session.key}"
    with st.container(key="live_stage"):
        _camera()(key="live_camera", data={"path": path})


@cache
def _camera() -> Any:
    html, css, js = read_camera_code(_SCRIPT)
    return st.components.v2.component("live_camera", html=html, css=css, js=js)
