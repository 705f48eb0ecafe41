"""The page that answers the camera as it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core import AnalyzerConfig, ProjectError, model_catalog
from frontends.live import LIVE_HELP, Stream, answered, camera_code, live_config
from frontends.streamlit_app.state import ready_analyzer, start_loading
from frontends.streamlit_app.turns import TURNS
from frontends.streamlit_app.views.analyze import nothing_trained, show_problem
from frontends.streamlit_app.views.sidebar import choose_settings

_CONNECTION = Path(__file__).parents[1] / "camera.js"
_KEY = "live_camera"


@dataclass(slots=True)
class LiveSession:
    """What one visitor's camera is asked for and was answered."""

    config: AnalyzerConfig
    stream: Stream = field(default_factory=Stream)
    answer: dict[str, Any] = field(default_factory=dict)


def page() -> None:
    """The camera with its faces framed and named."""
    st.title("Live", anchor=False)
    st.markdown(LIVE_HELP)
    try:
        models = model_catalog()
        if not any(info.trained for info in models):
            nothing_trained(models)
            return
        chosen = choose_settings(models, with_preset=False)
        config = live_config(chosen)
        start_loading(config)
        ready_analyzer(config)
    except ProjectError as error:
        show_problem(error)
        return
    session = st.session_state.setdefault("live", LiveSession(config))
    session.config = config
    _stream()


@st.fragment
def _stream() -> None:
    # Only this part runs again for each group of frames.
    session: LiveSession = st.session_state["live"]
    with st.container(key="live_stage"):
        _camera()(key=_KEY, data=session.answer, on_frames_change=_take_frames)


@cache
def _camera() -> Any:
    html, css, js = camera_code(_CONNECTION)
    return st.components.v2.component("live_camera", html=html, css=css, js=js)


def _take_frames() -> None:
    session: LiveSession = st.session_state["live"]
    message = st.session_state[_KEY]["frames"]
    try:
        analyzer = ready_analyzer(session.config)
        # Before they are decoded. A browser sends no others until it has their answer.
        with TURNS.turn():
            session.answer = answered(message, session.stream, analyzer)
    except ProjectError as error:
        whose = message if isinstance(message, Mapping) else {}
        session.answer = {
            "number": whose.get("number"),
            "run": whose.get("run"),
            "problem": f"{error.message} {error.hint}".strip(),
        }
