"""The page that says how it works, how good it is and where it must not be used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core import ModelInfo, ProjectError, Reading, __version__, model_catalog
from frontends.choices import READING_TITLES
from frontends.figures import FIGURES_HELP, list_tables
from frontends.streamlit_app.documents import DOCS, show_document
from frontends.streamlit_app.figure_charts import confusion_chart, reliability_chart
from frontends.streamlit_app.state import persist
from frontends.streamlit_app.views.model_page import show_tables
from frontends.wording import escape_markdown, model_title

TEXT_FILE = Path(__file__).parents[1] / "about.md"
"""The short form of docs/guide/how-it-works.md."""
ETHICS_FILE = Path(__file__).parents[2] / "ethics.md"
"""The short form of docs/ethics.md."""

SHORT, FIGURES = "In short", "How good it is"
_DOCUMENTS = {
    "Ethics": "ethics.md",
    "Finding the faces": "detection.md",
    "Training and studies": "training.md",
    "Speed": "performance.md",
    "Reliability": "reliability.md",
    "Report": "report.md",
    "Questions": "faq.md",
}
"""Those that exist are offered."""
_MEASURED = DOCS / "results" / "metrics_publictest.json"
"""Every figure of `emotion evaluate`; the page works without it."""


def page() -> None:
    """Show what a visitor should know."""
    st.title("About", anchor=False)
    there = {title: DOCS / name for title, name in _DOCUMENTS.items() if (DOCS / name).exists()}
    chosen = st.segmented_control(
        "Part",
        [SHORT, FIGURES, *there],
        default=SHORT,
        required=True,
        **persist("about_part"),
        label_visibility="collapsed",
    )
    with st.container(key="prose"):
        if chosen in there:
            show_document(there[chosen])
        elif chosen == FIGURES:
            try:
                _show_figures(model_catalog())
            except ProjectError as error:
                st.warning(f"{escape_markdown(error.message)}\n\n{escape_markdown(error.hint)}")
        else:
            for file in (TEXT_FILE, ETHICS_FILE):
                st.markdown(file.read_text(encoding="utf-8"))
        st.caption(f"Photo Emotion {__version__}")


def _show_figures(models: Sequence[ModelInfo]) -> None:
    tables = list(list_tables(models))
    if not tables:
        st.markdown("No figures are stored with the models on this computer.")
        return
    st.markdown(
        f"{FIGURES_HELP} Some of these faces are near-copies of training faces. The row "
        '"Right, near-copies left out" does not count them.'
    )
    show_tables(tables)
    trained = [info for info in models if info.trained]
    chosen = st.selectbox("Model", trained, format_func=model_title, **persist("figures_of"))
    if _MEASURED.exists():
        measured = json.loads(_MEASURED.read_text(encoding="utf-8"))["models"]
        if chosen.name in measured:
            _show_charts(measured[chosen.name])


def _show_charts(measured: Mapping[str, Any]) -> None:
    curves = {READING_TITLES[Reading.FER2013]: measured["reliability"]}
    if people := measured.get("people"):
        curves = {READING_TITLES[Reading.PEOPLE]: people["reliability"], **curves}
    st.vega_lite_chart(reliability_chart(curves), height=380)
    st.caption(
        "How true the percentages are, in groups of faces with similar ones. On the dashed line, "
        "an answer that gives 70 % is right for 70 of 100 faces."
    )
    st.vega_lite_chart(confusion_chart(measured["confusion_matrix"]), height=420)
    st.caption(
        "Which answers the faces of each label got when the answer is about FER-2013's label, "
        "in % of the label's faces."
    )
