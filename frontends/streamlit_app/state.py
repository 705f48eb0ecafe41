"""What outlives a rerun: the loaded models, shared by all, and each visitor's own workspace."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

import streamlit as st

from core import AnalyzerConfig
from frontends.analyzers import Analyzers
from frontends.streamlit_app.workspace import Workspace

if TYPE_CHECKING:
    from core import Analyzer

_LOOK_AGAIN_S = 1.0
"""How often a page that says "Loading…" checks whether that is over."""


def workspace() -> Workspace:
    """Return this visitor's own memory."""
    if "workspace" not in st.session_state:
        st.session_state["workspace"] = Workspace()
    found: Workspace = st.session_state["workspace"]
    return found


def persist(key: str) -> dict[str, Any]:
    """Return the options that keep the value of a widget while other pages are shown."""
    return {"key": key, "persist_state": "session"}


@st.cache_resource(show_spinner=False)
def analyzers() -> Analyzers:
    """Return the analyzers of all visitors."""
    return Analyzers()


def show_loading_message(*configs: AnalyzerConfig) -> None:
    """Say that models are loading while they are; for a page that waits for a photo."""
    if analyzers().is_loading(*configs):
        _message(configs, Event())


@st.fragment(run_every=_LOOK_AGAIN_S)
def _message(configs: tuple[AnalyzerConfig, ...], shown: Event) -> None:
    if shown.is_set() and not analyzers().is_loading(*configs):
        # Draw the page without this fragment, which would check for ever. Not while the page is
        # being built: it would start again before it is complete.
        st.rerun()
    shown.set()
    st.caption("Loading… you can add a photo now.")


def ready_analyzer(config: AnalyzerConfig) -> Analyzer:
    """Return the analyzer, with a message while it loads; ProjectError if it cannot be loaded."""
    if not analyzers().is_loading(config):
        return analyzers().get(config)
    with st.spinner("Loading the model. This takes a few seconds the first time."):
        return analyzers().get(config)
