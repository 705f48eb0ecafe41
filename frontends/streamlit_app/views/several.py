"""Several photos: a table of all faces, then one photo at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core import EMOTIONS, ImageAnalysis
from frontends.streamlit_app.downloads import csv_file, json_list, zip_file
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import workspace
from frontends.streamlit_app.views.answer import offer_downloads, show_answer
from frontends.streamlit_app.workspace import Answer, Refused
from frontends.summary import NOT_SURE, summary_html
from frontends.wording import answer_words, count_words, emotion_word, shown_name

if TYPE_CHECKING:
    from core import Analyzer

Pair = tuple[Photo, Answer]
NO_FACE_ANSWER, NOT_ANSWERED = "No face", "Not answered"


def show_several(pairs: Sequence[Pair], analyzer: Analyzer) -> None:
    """The table, what can be saved, and the photo the visitor picks."""
    answered = [(photo, each) for photo, each in pairs if isinstance(each, ImageAnalysis)]
    faces = sum(len(analysis.faces) for _, analysis in answered)
    st.subheader(_headline(len(answered), faces, len(pairs) - len(answered)), anchor=False)
    faces_told = [face for _, analysis in answered for face in analysis.faces]
    st.html(summary_html(faces_told))
    st.dataframe(
        _filtered(_rows(pairs)),
        hide_index=True,
        placeholder="",
        column_config={
            "Probability": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100
            ),
            "Photo": st.column_config.TextColumn(width="medium"),
            "Remarks": st.column_config.TextColumn(width="large"),
        },
    )
    if answered:
        analyses = [analysis for _, analysis in answered]
        offer_downloads(
            "of_all",
            [
                (
                    "Everything (ZIP)",
                    partial(zip_file, answered, workspace()),
                    "emotions.zip",
                    "application/zip",
                ),
                ("Table (CSV)", partial(csv_file, analyses), "emotions.csv", "text/csv"),
                (
                    "Documents (JSON)",
                    partial(json_list, analyses),
                    "emotions.json",
                    "application/json",
                ),
            ],
        )
    st.divider()
    picked = st.selectbox(
        "Photo to look at",
        range(len(pairs)),
        format_func=lambda number: _title(number, pairs[number]),
    )
    photo, answer = pairs[picked]
    show_answer(photo, answer, analyzer)


def _filtered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that the visitor wants to see; a click on a heading sorts them."""
    left, right = st.columns(2, gap="medium")
    there = {row["Answer"] for row in rows}
    order = [*map(emotion_word, EMOTIONS), NOT_SURE, NO_FACE_ANSWER, NOT_ANSWERED]
    shown = left.multiselect(
        "Show only these answers",
        [answer for answer in order if answer in there],
        placeholder="All answers",
        key="shown_answers",
    )
    part = right.text_input("Show only photos whose name contains", key="shown_names")
    return [
        row
        for row in rows
        if (not shown or row["Answer"] in shown) and part.casefold() in row["Photo"].casefold()
    ]


def _headline(photos: int, faces: int, refused: int) -> str:
    words = f"{faces} {'face' if faces == 1 else 'faces'} in {photos} "
    words += "photo" if photos == 1 else "photos"
    return f"{words}, {refused} not answered" if refused else words


def _title(number: int, pair: Pair) -> str:
    photo, answer = pair
    told = "not answered" if isinstance(answer, Refused) else count_words(answer).lower()
    return f"{number + 1} · {shown_name(photo.name)} ({told})"


def _rows(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    rows = []
    for photo, answer in pairs:
        row: dict[str, Any] = dict.fromkeys(
            ("Photo", "Face", "Answer", "Most probable", "Probability", "Remarks")
        )
        row["Photo"] = shown_name(photo.name)
        if isinstance(answer, Refused):
            rows.append({**row, "Answer": NOT_ANSWERED, "Remarks": answer.message})
        elif not answer.faces:
            rows.append({**row, "Answer": NO_FACE_ANSWER, "Remarks": " ".join(answer.notes)})
        else:
            for face in answer.faces:
                top, probability = face.emotions.ranked()[0]
                rows.append(
                    {
                        **row,
                        "Face": face.index,
                        "Answer": answer_words(face.emotions),
                        "Most probable": top.value,
                        "Probability": 100 * probability,
                        "Remarks": " ".join(face.quality.reasons),
                    }
                )
    return rows
