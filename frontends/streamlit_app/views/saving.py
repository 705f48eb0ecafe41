"""Buttons that save files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st


def offer_downloads(
    place: str, offers: Sequence[tuple[str, Callable[[], bytes], str, str]]
) -> None:
    """Show a button for each label, what makes the file, its name and its type."""
    with st.container(horizontal=True, gap="small", key=f"downloads_{place}"):
        for label, make, name, mime in offers:
            st.download_button(
                label,
                make,
                file_name=name,
                mime=mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"save_{place}_{label}",
            )
