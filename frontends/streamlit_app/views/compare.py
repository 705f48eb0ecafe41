"""The page where all models answer the same photo."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import streamlit as st

from core import AnalyzerConfig, ImageAnalysis, ModelInfo, ProjectError, model_catalog
from frontends.opinions import Opinion, opinions_html
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import ready_analyzer, start_loading, workspace
from frontends.streamlit_app.views.analyze import nothing_trained, show_problem
from frontends.streamlit_app.views.answer import show_no_face, show_refusal
from frontends.streamlit_app.views.figures import figure_rows
from frontends.streamlit_app.views.sidebar import choose_settings
from frontends.streamlit_app.views.sources import choose_one_photo
from frontends.streamlit_app.workspace import Refused
from frontends.wording import escape_markdown, model_title, shown_name

if TYPE_CHECKING:
    from core import Analyzer

_IMAGES = Path(__file__).parents[3] / "docs" / "images"
_CURVES = {
    "pareto.png": "Accuracy against time: up and to the left is better.",
    "risk_coverage.png": "How many answers are right when only the surest are given: higher is "
    "better.",
}


def page() -> None:
    """One photo, every trained model, and how good each was measured to be."""
    st.title("Compare the models", anchor=False)
    st.markdown(
        "Every model answers the same faces of the same photo. Where they disagree, the photo is "
        "a hard one."
    )
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
        if photo is not None:
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
    st.caption(
        "Times are this computer's, for turning the faces upright and reading them. Finding them "
        "comes before and is the same for all models."
    )


def _opinion(photo: Photo, answer: ImageAnalysis, info: ModelInfo, analyzer: Analyzer) -> Opinion:
    def make() -> Opinion:
        image, faces = workspace().image(photo), [each.face for each in answer.faces]
        # The first answer of a network just loaded is slower than all that follow.
        analyzer.answer(image, faces)
        started = time.perf_counter()
        answers = analyzer.answer(image, faces)
        milliseconds = 1000 * (time.perf_counter() - started)
        count = "1 face" if len(faces) == 1 else f"{len(faces)} faces"
        return Opinion(
            model_title(info),
            f"{milliseconds:.0f} ms for {count}",
            tuple(each.emotions for each in answers),
        )

    key = ("opinion", photo.digest, answer.provenance.config_digest, analyzer.config.digest())
    return cast("Opinion", workspace().remember(key, make))


def _measured(trained: Sequence[ModelInfo]) -> None:
    rows = figure_rows(trained)
    if not rows:
        return
    st.subheader("How good each model is", anchor=False)
    st.markdown(
        "Measured on faces of FER-2013 from which no network learned; in brackets the 95 % "
        "confidence interval."
    )
    st.table(rows)
    curves = [(_IMAGES / name, text) for name, text in _CURVES.items() if (_IMAGES / name).exists()]
    if curves:
        for column, (file, text) in zip(st.columns(2), curves, strict=False):
            column.image(file, caption=text)
