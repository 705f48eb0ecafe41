"""The button that turns a photo by hand."""

from __future__ import annotations

import streamlit as st

from core import ImageAnalysis
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import workspace
from frontends.wording import TURN_HELP


def offer_turning(photo: Photo, analysis: ImageAnalysis) -> None:
    """Show a button that turns ``photo`` by another quarter and analyzes it again."""
    st.button(
        "Turn",
        icon=":material/rotate_right:",
        help=TURN_HELP,
        key=f"turn_{photo.digest}",
        on_click=workspace().turn_photo,
        args=(photo, analysis.turned + 90),
    )
