"""Several photos: a table of all faces, then one photo at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core import EMOTIONS, AnalyzerConfig, FaceAnalysis, ImageAnalysis
from frontends.face_card import crop_data_url
from frontends.streamlit_app.downloads import csv_file, json_list, zip_file
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import workspace
from frontends.streamlit_app.views.answer import offer_downloads, show_answer
from frontends.streamlit_app.workspace import Answer, Refusal
from frontends.summary import NOT_SURE, summary_html
from frontends.wording import (
    display_name,
    format_agreement,
    format_answer,
    format_emotion,
    format_face_count,
)

if TYPE_CHECKING:
    from core import Analyzer

Pair = tuple[Photo, Answer]
Row = tuple[int, dict[str, Any]]
"""The number of the photo among all, and what the table tells."""
_PICKED = "picked_photo"
_NETWORKS = "Networks"
NO_FACE_ANSWER, NOT_READ = "No face", "Not answered"


def show_several(
    pairs: Sequence[Pair], analyzer: Analyzer, everyone: AnalyzerConfig | None = None
) -> None:
    """The table, what can be saved, and the photo the visitor picks."""
    answered = [(photo, each) for photo, each in pairs if isinstance(each, ImageAnalysis)]
    refused = [(photo, each) for photo, each in pairs if isinstance(each, Refusal)]
    faces = sum(len(analysis.faces) for _, analysis in answered)
    st.subheader(_headline(len(answered), faces, len(refused)), anchor=False)
    faces_told = [face for _, analysis in answered for face in analysis.faces]
    left, right = st.columns(2, gap="medium")
    left.html(summary_html(faces_told))
    with right:
        rows = _filtered(_rows(pairs))
        _downloads(answered, refused)
    st.dataframe(
        [row for _, row in rows],
        hide_index=True,
        placeholder="",
        column_config={
            "Face": st.column_config.ImageColumn("Face", width="small"),
            "Number": st.column_config.NumberColumn(width="small"),
            "Probability": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100
            ),
            "Photo": st.column_config.TextColumn(width="medium"),
            "Remarks": st.column_config.TextColumn(width="large"),
        },
        row_height=44,
        key="table",
        selection_mode="single-row",
        on_select=partial(_look_at, [number for number, _ in rows]),
    )
    st.caption("Click a heading to sort. Tick a row on the left to see its photo.")
    st.divider()
    if not 0 <= st.session_state.get(_PICKED, -1) < len(pairs):
        st.session_state[_PICKED] = _worth_a_look(pairs)
    picked = st.selectbox(
        "Photo to look at",
        range(len(pairs)),
        format_func=lambda number: _title(number, pairs[number]),
        key=_PICKED,
        persist_state="session",
    )
    photo, answer = pairs[picked]
    show_answer(photo, answer, analyzer, everyone)


def _downloads(
    answered: Sequence[tuple[Photo, ImageAnalysis]], refused: Sequence[tuple[Photo, Refusal]]
) -> None:
    if not answered:
        return
    analyses = [analysis for _, analysis in answered]
    everything = partial(zip_file, answered, workspace(), refused)
    table, documents = partial(csv_file, analyses), partial(json_list, analyses)
    offer_downloads(
        "of_all",
        [
            ("Everything (ZIP)", everything, "emotions.zip", "application/zip"),
            ("Table (CSV)", table, "emotions.csv", "text/csv"),
            ("All data (JSON)", documents, "emotions.json", "application/json"),
        ],
    )


def _worth_a_look(pairs: Sequence[Pair]) -> int:
    """The first photo with a face in it."""
    with_faces = (
        n for n, (_, each) in enumerate(pairs) if not isinstance(each, Refusal) and each.faces
    )
    return next(with_faces, 0)


def _look_at(numbers: Sequence[int]) -> None:
    """Show the photo of the row that was ticked; ``numbers`` are those of the rows' photos."""
    ticked = st.session_state["table"]["selection"]["rows"]
    if ticked and ticked[0] < len(numbers):
        st.session_state[_PICKED] = numbers[ticked[0]]


def _filtered(rows: list[Row]) -> list[Row]:
    """The rows that the visitor wants to see."""
    there = {row["Answer"] for _, row in rows}
    order = [*map(format_emotion, EMOTIONS), NOT_SURE, NO_FACE_ANSWER, NOT_READ]
    shown = st.multiselect(
        "Show only these answers",
        [answer for answer in order if answer in there],
        placeholder="All answers",
        key="shown_answers",
        persist_state="session",
    )
    part = st.text_input(
        "Show only photos whose name contains", key="shown_names", persist_state="session"
    )
    return [
        (number, row)
        for number, row in rows
        if (not shown or row["Answer"] in shown) and part.casefold() in row["Photo"].casefold()
    ]


def _headline(photos: int, faces: int, refused: int) -> str:
    words = f"{faces} {'face' if faces == 1 else 'faces'} in {photos} "
    words += "photo" if photos == 1 else "photos"
    return f"{words}, {refused} not read" if refused else words


def _title(number: int, pair: Pair) -> str:
    photo, answer = pair
    count = "not read" if isinstance(answer, Refusal) else format_face_count(answer).lower()
    return f"{number + 1} · {display_name(photo.name)} ({count})"


def _rows(pairs: Sequence[Pair]) -> list[Row]:
    rows: list[Row] = []
    for number, (photo, answer) in enumerate(pairs):
        row: dict[str, Any] = dict.fromkeys(
            (
                *("Photo", "Number", "Face", "Answer", "Most probable", "Probability"),
                *(_NETWORKS, "Remarks"),
            )
        )
        row["Photo"] = display_name(photo.name)
        if isinstance(answer, Refusal):
            rows.append((number, {**row, "Answer": NOT_READ, "Remarks": answer.message}))
        elif not answer.faces:
            notes = " ".join(answer.notes)
            rows.append((number, {**row, "Answer": NO_FACE_ANSWER, "Remarks": notes}))
        else:
            rows.extend((number, {**row, **_told(face)}) for face in answer.faces)
    if not any(row[_NETWORKS] for _, row in rows):
        for _, row in rows:
            del row[_NETWORKS]  # a single network has nothing to agree with
    return rows


def _told(face: FaceAnalysis) -> dict[str, Any]:
    top, probability = face.emotions.ranked()[0]
    return {
        "Number": face.index,
        "Face": crop_data_url(face),
        "Answer": format_answer(face.emotions),
        "Most probable": top.value,
        "Probability": 100 * probability,
        _NETWORKS: format_agreement(face),
        "Remarks": " ".join(face.quality.reasons),
    }
