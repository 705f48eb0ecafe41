"""What outlives a rerun: the loaded models, shared by all, and each visitor's own workspace."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import streamlit as st

from core import AnalyzerConfig
from frontends.streamlit_app.workspace import Workspace

if TYPE_CHECKING:
    from core import Analyzer


_PAGE_FIRST_S = 1.5
"""Loading begins so long after the page was asked for, or as soon as an answer is wanted."""
_LOOK_AGAIN_S = 1.0
"""How often a page that tells of loading looks whether that is over."""


def workspace() -> Workspace:
    """This visitor's own memory."""
    if "workspace" not in st.session_state:
        st.session_state["workspace"] = Workspace()
    found: Workspace = st.session_state["workspace"]
    return found


# All four models for the comparison and two more, so that changing a setting back and forth
# loads nothing; older ones are let go.
@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs={AnalyzerConfig: repr})
def _loading(config: AnalyzerConfig) -> tuple[Future[Analyzer], Event]:
    wanted = Event()
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load-model")
    future = executor.submit(_load, config, wanted)
    executor.shutdown(wait=False)
    return future, wanted


def _load(config: AnalyzerConfig, wanted: Event) -> Analyzer:
    # Importing torch stops all threads for a moment: first let the browser have its page.
    wanted.wait(_PAGE_FIRST_S)
    from core import Analyzer, warm_up_reader

    warm_up_reader()
    return Analyzer.from_config(config)


def start_loading(config: AnalyzerConfig) -> None:
    """Begin to load behind the page, which is there at once."""
    _loading(config)


def show_loading_message(*configs: AnalyzerConfig) -> None:
    """Say that models are being loaded, as long as they are; for a page that awaits a photo."""
    if _unready(configs):
        _message(configs, Event())


def _unready(configs: Sequence[AnalyzerConfig]) -> bool:
    return not all(future.done() for future, _ in map(_loading, configs))


@st.fragment(run_every=_LOOK_AGAIN_S)
def _message(configs: Sequence[AnalyzerConfig], shown: Event) -> None:
    if shown.is_set() and not _unready(configs):
        # The page without this fragment, which would look again for ever. Not while the page is
        # being built: it would begin anew before it is there.
        st.rerun()
    shown.set()
    st.caption("Loading… you can add a photo now.")


def ready_analyzer(config: AnalyzerConfig) -> Analyzer:
    """The analyzer, waiting with a message while it loads; ProjectError if it cannot be had."""
    future, wanted = _loading(config)
    wanted.set()
    if not future.done():
        with st.spinner("Loading the model. This takes a few seconds the first time."):
            future.exception()
    error = future.exception()
    if error is not None:
        # Forgotten, so that the next try finds what was mended meanwhile.
        _loading.clear(config)
        raise error
    return future.result()
