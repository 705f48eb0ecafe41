"""The page that tells how it works, how good it is and where it must not be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core import ModelInfo, ProjectError, __version__, model_catalog
from frontends.figures import figure_rows
from frontends.wording import escape_markdown

TEXT_FILE = Path(__file__).parents[1] / "about.md"
ETHICS_FILE = Path(__file__).parents[2] / "ethics.md"
"""The short form of docs/ethics.md."""


def page() -> None:
    """What a visitor should know."""
    st.title("About", anchor=False)
    with st.container(key="prose"):
        for file in (TEXT_FILE, ETHICS_FILE):
            st.markdown(file.read_text(encoding="utf-8"))
        st.subheader("How good it is", anchor=False)
        try:
            _figures(model_catalog())
        except ProjectError as error:
            st.warning(f"{escape_markdown(error.message)}\n\n{escape_markdown(error.hint)}")
        st.caption(f"Photo Emotion {__version__}")


def _figures(models: Sequence[ModelInfo]) -> None:
    rows = figure_rows(models)
    if not rows:
        st.markdown("No figures are stored with the models on this computer.")
        return
    st.markdown(
        "Measured on FER-2013 faces outside the training part; in brackets the 95 % confidence "
        "interval. Some of these faces are near-copies of training faces, hence the second figure."
    )
    st.table(rows)
