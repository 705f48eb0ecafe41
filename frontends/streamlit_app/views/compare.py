"""The page where all models answer the same photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import streamlit as st

from core import AnalyzerConfig, ImageAnalysis, ModelInfo, ProjectError, model_catalog
from frontends.figures import FIGURES_HELP, curves, metric_rows
from frontends.model_cards import (
    COMPARE_HELP,
    TIMES_HELP,
    ModelAnswers,
    model_cards_html,
    time_model,
)
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import (
    ready_analyzer,
    show_loading_message,
    start_loading,
    workspace,
)
from frontends.streamlit_app.views.analyze import show_nothing_trained, show_problem
from frontends.streamlit_app.views.answer import show_no_face, show_refusal
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_one_photo
from frontends.streamlit_app.workspace import Refusal
from frontends.wording import display_name, escape_markdown, model_title

if TYPE_CHECKING:
    from core import Analyzer


def page() -> None:
    """One photo, every trained model, and how good each was measured to be."""
    st.title("Compare the models", anchor=False)
    st.markdown(COMPARE_HELP)
    try:
        models = model_catalog()
        trained = [info for info in models if info.trained]
        if not trained:
            show_nothing_trained(models)
            return
        config = choose_settings(models, with_model=False)
        configs = {info.name: replace(config, model=info.name) for info in trained}
        for each in configs.values():
            start_loading(each)
        photo = choose_one_photo()
        if photo is None:
            show_loading_message(*configs.values())
        else:
            _answers(photo, trained, configs)
    except ProjectError as error:
        show_problem(error)
        return
    _measured(trained)


def _answers(
    photo: Photo, trained: Sequence[ModelInfo], configs: dict[str, AnalyzerConfig]
) -> None:
    analyzers = {info.name: ready_analyzer(configs[info.name]) for info in trained}
    first = analyzers[trained[0].name]
    with st.spinner(f"Asking every model about {escape_markdown(display_name(photo.name))}."):
        answer = workspace().answer(photo, first)
        if isinstance(answer, Refusal):
            show_refusal(photo.name, answer)
            return
        if not answer.faces:
            show_no_face(photo, answer)
            return
        opinions = [_ask_model(photo, answer, info, analyzers[info.name]) for info in trained]
    left, right = st.columns([2, 5], gap="medium")
    with left, st.container(key="picture"):
        st.image(
            workspace().shown(photo, answer), caption=escape_markdown(display_name(answer.name))
        )
    with right:
        st.html(model_cards_html(answer.faces, opinions))
    st.caption(TIMES_HELP)


def _ask_model(
    photo: Photo, answer: ImageAnalysis, info: ModelInfo, analyzer: Analyzer
) -> ModelAnswers:
    def make() -> ModelAnswers:
        faces = [each.face for each in answer.faces]
        return time_model(model_title(info), analyzer, workspace().image(photo), faces)

    key = ("opinion", photo.digest, answer.provenance.config_digest, analyzer.config.digest())
    return cast("ModelAnswers", workspace().remember(key, make))


def _measured(trained: Sequence[ModelInfo]) -> None:
    rows = metric_rows(trained)
    if not rows:
        return
    st.subheader("How good each model is", anchor=False)
    st.markdown(FIGURES_HELP)
    st.table(rows)
    pictures = curves()
    if pictures:
        for column, (file, text) in zip(st.columns(2), pictures, strict=False):
            column.image(file, caption=text)
