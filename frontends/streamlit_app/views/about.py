"""The page that says how it works, how good it is and where it must not be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core import ModelInfo, ProjectError, __version__, model_catalog
from frontends.figures import FIGURES_HELP, list_tables
from frontends.streamlit_app.documents import DOCS, show_document
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
_PLOTS = {
    "reliability": "How often answers of a given probability were right. On the dotted line, 70 % "
    "means right 7 times out of 10.",
    "confusion": "Which answers faces of each emotion got.",
}


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
    for name, words in _PLOTS.items():
        picture = DOCS / "images" / f"{name}_{chosen.name}.png"
        if picture.exists():
            st.image(picture, caption=words)
