"""The page where all models answer the same photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core import AnalyzerConfig, ImageAnalysis, ModelInfo
from frontends.figures import FIGURES_HELP, chart_html, explain_ensemble, list_tables
from frontends.model_cards import (
    COMPARE_HELP,
    TIMES_HELP,
    ModelAnswers,
    compare_models_html,
    time_model,
)
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import (
    analyzers,
    ready_analyzer,
    show_loading_message,
    workspace,
)
from frontends.streamlit_app.views.model_page import find_faces, model_page, show_tables
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_one_photo
from frontends.wording import display_name, escape_markdown, model_title

if TYPE_CHECKING:
    from core import Analyzer


@model_page("Compare the models", COMPARE_HELP)
def page(models: Sequence[ModelInfo]) -> None:
    """Show every trained model's answers to one photo, and how good each model is."""
    trained = [info for info in models if info.trained]
    config = choose_settings(models, with_model=False)
    configs = [replace(config, model=info.name) for info in trained]
    analyzers().start_loading(*configs)
    photo = choose_one_photo()
    if photo is None:
        show_loading_message(*configs)
    else:
        _show_answers(photo, trained, configs)
    if tables := list(list_tables(trained)):
        st.subheader("How good each model is", anchor=False)
        st.markdown(FIGURES_HELP)
        st.markdown(explain_ensemble(trained))
        show_tables(tables)
        if chart := chart_html(trained):
            st.html(chart)


def _show_answers(
    photo: Photo, trained: Sequence[ModelInfo], configs: Sequence[AnalyzerConfig]
) -> None:
    loaded = [ready_analyzer(config) for config in configs]
    answer = find_faces(photo, loaded[0])
    if answer is None:
        return
    with st.spinner("Running every model."):
        answers = [
            _run_model(photo, answer, model_title(info), analyzer)
            for info, analyzer in zip(trained, loaded, strict=True)
        ]
    left, right = st.columns([2, 5], gap="medium")
    with left, st.container(key="picture"):
        st.image(
            workspace().draw(photo, answer), caption=escape_markdown(display_name(answer.name))
        )
    right.html(compare_models_html(answer.faces, answers))
    st.caption(TIMES_HELP)


def _run_model(photo: Photo, answer: ImageAnalysis, title: str, analyzer: Analyzer) -> ModelAnswers:
    faces = [each.face for each in answer.faces]
    key = ("model", *photo.key, answer.provenance.config_digest, analyzer.config.digest())
    answers: ModelAnswers = workspace().results.get_admitted(
        key, lambda: time_model(title, analyzer, workspace().turn_upright(photo, answer), faces)
    )
    return answers
