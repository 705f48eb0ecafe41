"""The page where all models answer the same photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import streamlit as st

from core import AnalyzerConfig, ImageAnalysis, ModelInfo, ProjectError, model_catalog
from frontends.figures import FIGURES_HELP, curves, figure_rows
from frontends.opinions import COMPARE_HELP, TIMES_HELP, Opinion, opinions_html, timed_opinion
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import ready_analyzer, start_loading, tell_of_loading, workspace
from frontends.streamlit_app.views.analyze import nothing_trained, show_problem
from frontends.streamlit_app.views.answer import show_no_face, show_refusal
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_one_photo
from frontends.streamlit_app.workspace import Refused
from frontends.wording import escape_markdown, model_title, shown_name

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
            nothing_trained(models)
            return
        config = choose_settings(models, with_model=False)
        configs = {info.name: replace(config, model=info.name) for info in trained}
        for each in configs.values():
            start_loading(each)
        photo = choose_one_photo()
        if photo is None:
            tell_of_loading(*configs.values())
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
    with st.spinner(f"Asking every model about {escape_markdown(shown_name(photo.name))}."):
        answer = workspace().answer(photo, first)
        if isinstance(answer, Refused):
            show_refusal(photo.name, answer)
            return
        if not answer.faces:
            show_no_face(photo, answer)
            return
        opinions = [_opinion(photo, answer, info, analyzers[info.name]) for info in trained]
    left, right = st.columns([2, 5], gap="medium")
    with left, st.container(key="picture"):
        st.image(workspace().shown(photo, answer), caption=escape_markdown(shown_name(answer.name)))
    with right:
        st.html(opinions_html(answer.faces, opinions))
    st.caption(TIMES_HELP)


def _opinion(photo: Photo, answer: ImageAnalysis, info: ModelInfo, analyzer: Analyzer) -> Opinion:
    def make() -> Opinion:
        faces = [each.face for each in answer.faces]
        return timed_opinion(model_title(info), analyzer, workspace().image(photo), faces)

    key = ("opinion", photo.digest, answer.provenance.config_digest, analyzer.config.digest())
    return cast("Opinion", workspace().remember(key, make))


def _measured(trained: Sequence[ModelInfo]) -> None:
    rows = figure_rows(trained)
    if not rows:
        return
    st.subheader("How good each model is", anchor=False)
    st.markdown(FIGURES_HELP)
    st.table(rows)
    pictures = curves()
    if pictures:
        for column, (file, text) in zip(st.columns(2), pictures, strict=False):
            column.image(file, caption=text)
