"""The page where photos are analyzed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core import AnalyzerConfig, ModelInfo
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import (
    analyzers,
    ready_analyzer,
    show_loading_message,
    workspace,
)
from frontends.streamlit_app.views.answer import show_answer
from frontends.streamlit_app.views.correcting import offer_corrections
from frontends.streamlit_app.views.model_page import model_page
from frontends.streamlit_app.views.several import show_several
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_photos
from frontends.streamlit_app.workspace import Answer
from frontends.wording import INTRODUCTION, display_name, escape_markdown

if TYPE_CHECKING:
    from core import Analyzer


@model_page(
    "Read the emotions in a photo",
    f"{INTRODUCTION} Nobody can see in a face what the person feels. Your photos stay on this "
    "computer.",
)
def page(models: Sequence[ModelInfo]) -> None:
    """Show the page that takes photos and shows their answers."""
    config = choose_settings(models)
    analyzers().start_loading(config)
    photos = choose_photos()
    if not photos:
        show_loading_message(config)
        offer_corrections()
        return
    analyzer = ready_analyzer(config)
    answers = _answer_all(photos, analyzer)
    ensemble = _find_ensemble(config, models)
    if len(photos) == 1:
        show_answer(photos[0], answers[0], analyzer, ensemble)
    else:
        show_several(list(zip(photos, answers, strict=True)), analyzer, ensemble)
    offer_corrections()


def _find_ensemble(config: AnalyzerConfig, models: Sequence[ModelInfo]) -> AnalyzerConfig | None:
    """Return ``config`` with the ensemble; None if it has that already or there is none."""
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
