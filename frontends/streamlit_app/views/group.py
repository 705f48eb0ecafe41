"""The answer to a photo with many faces: a summary, then small tiles to sort and filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core import EMOTIONS, FaceAnalysis
from frontends.cards import group_html, tiles_html
from frontends.streamlit_app.state import persist
from frontends.wording import NOT_SURE, format_answer, format_emotion

BY_NUMBER, BY_ANSWER, LEAST_SURE = "Number", "Answer", "Least sure first"
_ORDER = [*map(format_emotion, EMOTIONS), NOT_SURE]


def show_group(
    faces: Sequence[FaceAnalysis], size_wh: tuple[int, int], offer_files: Callable[[], None]
) -> None:
    """Show what most of ``faces`` show, what can be saved, and a tile for each face.

    ``size_wh`` is the size of their picture.
    """
    st.html(group_html(faces))
    offer_files()
    there = {format_answer(face.emotions) for face in faces}
    shown = st.pills(
        "Show only",
        [answer for answer in _ORDER if answer in there],
        selection_mode="multi",
        **persist("shown_faces"),
    )
    # A choice from another photo may not be there.
    shown = [answer for answer in shown if answer in there]
    order = st.segmented_control(
        "Sort by",
        [BY_NUMBER, BY_ANSWER, LEAST_SURE],
        default=BY_NUMBER,
        required=True,
        **persist("face_order"),
    )
    chosen = [face for face in faces if not shown or format_answer(face.emotions) in shown]
    st.caption(
        f"{f'{len(chosen)} of {len(faces)} faces. ' if shown else ''}"
        "Point at a card to mark its face in the photo, or at a face to mark its card. Click to "
        "see more."
    )
    st.html(tiles_html(sort_faces(chosen, order), size_wh))


def sort_faces(faces: Sequence[FaceAnalysis], order: str) -> list[FaceAnalysis]:
    """Return ``faces`` in one of the three orders that the page offers."""
    if order == BY_ANSWER:
        return sorted(
            faces, key=lambda face: (_ORDER.index(format_answer(face.emotions)), -_share(face))
        )
    if order == LEAST_SURE:
        return sorted(faces, key=lambda face: (face.emotions.certain, _share(face)))
    return sorted(faces, key=lambda face: face.index)


def _share(face: FaceAnalysis) -> float:
    return face.emotions[face.emotions.top]
