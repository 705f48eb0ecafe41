"""The page that reads the emotions in a film."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import AnalyzerConfig, ModelInfo
from frontends.film_files import film_path
from frontends.film_view import film_html, read_player_code
from frontends.films import APP_BOUNDS, FilmJob, FilmState, find_job, make_film_config
from frontends.streamlit_app.state import analyzers, show_loading_message
from frontends.streamlit_app.views.model_page import model_page
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.wording import (
    CANCELLED_FILM,
    FILM_HELP,
    describe_progress,
    display_name,
    escape_markdown,
)

_SCRIPT = Path(__file__).parents[1] / "film.js"
_LOOK_AGAIN_S = 1.0
"""How often the page looks how far its film is."""
_KEY = "film"
"""Of the address, so that a reload finds the film again."""


@model_page(
    "Video",
    f"{FILM_HELP} The app keeps a copy of your film on this computer until you leave; your own "
    "file is not touched.",
)
def page(models: Sequence[ModelInfo]) -> None:
    """Show the page that takes a film, follows it and shows its answer."""
    config = make_film_config(choose_settings(models, with_preset=False))
    analyzers().start_loading(config)
    job = _find_job()
    if job is not None and job.is_running:
        _show_progress(job)
        return
    if job is not None and job.state is FilmState.DONE:
        _show_answer(job, config)
        return
    if job is not None:
        _explain_end(job)
    _take_film(config)


def _find_job() -> FilmJob | None:
    """Return this visit's film, also after a reload, which begins another session."""
    job: FilmJob | None = st.session_state.get("film_job")
    if job is None and _KEY in st.query_params:
        job = find_job(st.query_params[_KEY])
    st.session_state["film_job"] = job
    if job is None:
        st.query_params.pop(_KEY, None)
    elif st.query_params.get(_KEY) != job.key:
        st.query_params[_KEY] = job.key
    return job


def _take_film(config: AnalyzerConfig) -> None:
    # Another key for each film: the field would keep the one before.
    number = st.session_state.setdefault("film_number", 0)
    given = st.file_uploader(
        "Press Upload, or drop a film here",
        key=f"film_upload_{number}",
        max_upload_size=APP_BOUNDS.megabytes,
    )
    st.html(
        f'<p class="too-large">The file is larger than {APP_BOUNDS.megabytes} MB. '
        "Save it smaller, or cut it into parts.</p>"
    )
    st.caption(f"{APP_BOUNDS.sentence} MP4, MOV, MKV, WebM, AVI and others.")
    if given is None:
        show_loading_message(config)
        return
    job = FilmJob(given.name, lambda file: file.write_bytes(given.getbuffer()), APP_BOUNDS)
    _start(job, config)
    # Streamlit may end this run at any access to the state. The upload must still be there until
    # the running job is stored; the next run takes it again otherwise.
    st.session_state["film_job"] = job
    _forget_upload(given.file_id)
    st.session_state["film_number"] = number + 1
    st.rerun()


def _forget_upload(file_id: str) -> None:
    """Free the upload, which Streamlit would hold in memory until the visit ends."""
    with suppress(AttributeError):
        context = get_script_run_ctx()
        if context is not None:
            context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def _start(job: FilmJob, config: AnalyzerConfig) -> None:
    job.start(config, partial(analyzers().get, config))


@st.fragment(run_every=_LOOK_AGAIN_S)
def _show_progress(job: FilmJob) -> None:
    if not job.is_running:
        st.rerun()
    name = escape_markdown(display_name(job.name))
    st.progress(job.done, f"**{name}** · {describe_progress(job)}")
    st.button("Cancel", on_click=job.cancel)


def _show_answer(job: FilmJob, config: AnalyzerConfig) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape_markdown(display_name(job.name))}**", width="content")
        if job.config != config:
            st.button("Read again with these settings", on_click=_start, args=(job, config))
        st.button("Another film", on_click=_forget)
    address = f"{film_path(st.get_option('server.baseUrlPath'))}/{job.key}"
    # Not the job's key: Streamlit refuses keys with two underscores in a row, which may be in it.
    number = st.session_state.get("film_number", 0)
    with st.container(key="film_answer"):
        _player()(key=f"film_{number}", data={"html": film_html(job, address)})


def _forget() -> None:
    st.session_state["film_job"].cancel()
    st.session_state["film_job"] = None
    st.query_params.pop(_KEY, None)


def _explain_end(job: FilmJob) -> None:
    name = escape_markdown(display_name(job.name))
    if job.state is FilmState.REFUSED:
        message, hint = map(escape_markdown, job.refusal)
        st.error(f"**{name}** could not be read. {message}\n\n{hint}")
    else:
        st.info(f"**{name}**: {CANCELLED_FILM}")


@cache
def _player() -> Any:
    html, css, js = read_player_code(_SCRIPT)
    return st.components.v2.component("film_player", html=html, css=css, js=js)
