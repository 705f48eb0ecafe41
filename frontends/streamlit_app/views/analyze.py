"""The page where photos are answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core import AnalyzerConfig, ModelInfo, ProjectError, model_catalog
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import (
    ready_analyzer,
    show_loading_message,
    start_loading,
    workspace,
)
from frontends.streamlit_app.views.answer import show_answer
from frontends.streamlit_app.views.several import show_several
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_photos
from frontends.streamlit_app.workspace import Answer
from frontends.wording import display_name, escape_markdown, model_title

if TYPE_CHECKING:
    from core import Analyzer


def page() -> None:
    """Photos in, answers out."""
    st.title("Read the emotions in a photo", anchor=False)
    st.markdown(
        "Every face is framed, numbered and answered with the probability of seven emotions: what "
        "the face shows, not what the person feels. Your photos stay on this computer."
    )
    try:
        models = model_catalog()
    except ProjectError as error:
        show_problem(error)
        return
    if not any(info.trained for info in models):
        show_nothing_trained(models)
        return
    config = choose_settings(models)
    start_loading(config)
    photos = choose_photos()
    if not photos:
        show_loading_message(config)
        return
    try:
        analyzer = ready_analyzer(config)
        answers = _answer_all(photos, analyzer)
        everyone = _everyone(config, models)
        if len(photos) == 1:
            show_answer(photos[0], answers[0], analyzer, everyone)
        else:
            show_several(list(zip(photos, answers, strict=True)), analyzer, everyone)
    except ProjectError as error:
        show_problem(error)


def _everyone(config: AnalyzerConfig, models: Sequence[ModelInfo]) -> AnalyzerConfig | None:
    """What asks all networks; None where ``config`` does or where there are too few of them."""
    ensemble = next((info for info in models if info.trained and len(info.members) > 1), None)
    if ensemble is None or ensemble.name == config.model:
        return None
    return replace(config, model=ensemble.name)


def _answer_all(photos: Sequence[Photo], analyzer: Analyzer) -> list[Answer]:
    memory = workspace()
    settings = analyzer.config.digest()
    waiting = [photo for photo in photos if not memory.has_answer(photo, settings)]
    if len(waiting) == 1:
        with st.spinner(f"Looking for faces in {escape_markdown(display_name(waiting[0].name))}."):
            memory.answer(waiting[0], analyzer)
    elif waiting:
        bar = st.progress(0.0)
        for done, photo in enumerate(waiting):
            name = escape_markdown(display_name(photo.name))
            bar.progress(done / len(waiting), f"Photo {done + 1} of {len(waiting)}: {name}")
            memory.answer(photo, analyzer)
        bar.empty()
    return [memory.answer(photo, analyzer) for photo in photos]


def show_problem(error: ProjectError) -> None:
    """What went wrong and what to do; a button runs the page again, with the photos it has."""
    st.error(f"{escape_markdown(error.message)}\n\n{escape_markdown(error.hint)}")
    st.button("Try again")


def show_nothing_trained(models: Sequence[ModelInfo]) -> None:
    """How to get a first network."""
    st.warning(
        "No network is trained on this computer yet, so photos cannot be answered. "
        "Train one with one of these commands, then reload this page."
    )
    for info in models:
        if info.how_to_get.startswith("emotion "):
            st.markdown(f"**{model_title(info)}**")
            st.code(info.how_to_get, language=None, wrap_lines=True)
