"""Several photos: a table of all faces, then one photo at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core import (
    EMOTIONS,
    AnalyzerConfig,
    FaceAnalysis,
    ImageAnalysis,
    Reading,
    format_probability,
)
from frontends.cards import crop_data_url, summary_html
from frontends.streamlit_app.downloads import csv_of_all, json_list, zip_file
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import persist, workspace
from frontends.streamlit_app.views.answer import offer_downloads, show_answer
from frontends.streamlit_app.workspace import Answer, Refusal
from frontends.wording import (
    NOT_SURE,
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
"""The number of the photo among all, and a row of the table."""
_PICKED = "picked_photo"
_NETWORKS = "Networks"
_LIKELY = "Most likely"
_SHARE = {Reading.PEOPLE: "People", Reading.FER2013: "Probability"}
"""The column of how many people would say the most likely emotion, or how probable a label is."""
_TABLE_HELP = {
    Reading.PEOPLE: "People: the share of people who would name that emotion.",
    Reading.FER2013: "Probability: how probable that label is in FER-2013.",
}
_OPTIONAL = (_LIKELY, _NETWORKS)
"""Columns that are left out if they are empty."""
NO_FACE_ANSWER, NOT_READ = "No face", "Not read"


def show_several(
    pairs: Sequence[Pair], analyzer: Analyzer, ensemble: AnalyzerConfig | None = None
) -> None:
    """Show the table, what can be saved, and the photo that the visitor picks."""
    analyses = [each for _, each in pairs if isinstance(each, ImageAnalysis)]
    faces = [face for analysis in analyses for face in analysis.faces]
    st.subheader(_headline([answer for _, answer in pairs]), anchor=False)
    left, right = st.columns(2, gap="medium")
    left.html(summary_html(faces))
    reading = analyzer.config.reading
    with right:
        rows = _filter(_make_rows(pairs, _SHARE[reading]))
        if analyses:
            _offer_files(pairs, analyses)
    st.dataframe(
        _make_table([row for _, row in rows], _SHARE[reading]),
        hide_index=True,
        placeholder="",
        column_config={
            # Narrow, so that a phone shows the first four.
            "Photo": st.column_config.TextColumn(width=100),
            "Face": st.column_config.ImageColumn(width=60),
            "Answer": st.column_config.TextColumn(width=80),
            _SHARE[reading]: st.column_config.NumberColumn(width=90),
            _LIKELY: st.column_config.TextColumn(width=90),
            "Face no.": st.column_config.NumberColumn(width=75),
            "Remarks": st.column_config.TextColumn(width="large"),
        },
        row_height=44,
        key="table",
        selection_mode="single-row",
        on_select=partial(_pick_row, [number for number, _ in rows]),
    )
    st.caption(
        f"{_TABLE_HELP[reading]} Click a heading to sort. Tick the box of a row to see its photo."
    )
    st.divider()
    if not 0 <= st.session_state.get(_PICKED, -1) < len(pairs):
        # The first photo with a face in it.
        with_faces = (
            number
            for number, (_, each) in enumerate(pairs)
            if isinstance(each, ImageAnalysis) and each.faces
        )
        st.session_state[_PICKED] = next(with_faces, 0)
    picked = st.selectbox(
        "Photo to look at",
        range(len(pairs)),
        format_func=lambda number: _title(number, pairs[number]),
        **persist(_PICKED),
    )
    photo, answer = pairs[picked]
    show_answer(photo, answer, analyzer, ensemble)


def _offer_files(pairs: Sequence[Pair], analyses: Sequence[ImageAnalysis]) -> None:
    everything = partial(zip_file, pairs, workspace())
    table, data = partial(csv_of_all, pairs), partial(json_list, analyses)
    offer_downloads(
        "of_all",
        [
            ("Everything (ZIP)", everything, "emotions.zip", "application/zip"),
            ("Table (CSV)", table, "emotions.csv", "text/csv"),
            ("All data (JSON)", data, "emotions.json", "application/json"),
        ],
    )


def _pick_row(numbers: Sequence[int]) -> None:
    """Pick the photo of the ticked row; ``numbers`` are those of the rows' photos."""
    ticked = st.session_state["table"]["selection"]["rows"]
    if ticked and ticked[0] < len(numbers):
        st.session_state[_PICKED] = numbers[ticked[0]]


def _filter(rows: list[Row]) -> list[Row]:
    """Return the rows that the visitor wants to see."""
    there = {row["Answer"] for _, row in rows}
    order = [*map(format_emotion, EMOTIONS), NOT_SURE, NO_FACE_ANSWER, NOT_READ]
    shown = st.multiselect(
        "Show only these answers",
        [answer for answer in order if answer in there],
        placeholder="All answers",
        **persist("shown_answers"),
    )
    part = st.text_input("Show only photos whose name contains", **persist("shown_names"))
    return [
        (number, row)
        for number, row in rows
        if (not shown or row["Answer"] in shown) and part.casefold() in row["Photo"].casefold()
    ]


def _headline(answers: Sequence[Answer]) -> str:
    """Return how many files there are and what was found in them."""
    read = [each for each in answers if isinstance(each, ImageAnalysis)]
    faces = sum(len(each.faces) for each in read)
    with_faces = sum(bool(each.faces) for each in read)
    parts = [f"{_count(faces, 'face')} in {_count(with_faces, 'photo')}"] if faces else []
    if without := len(read) - with_faces:
        parts.append(f"{_count(without, 'photo')} without a face")
    if refused := len(answers) - len(read):
        parts.append(f"{_count(refused, 'file')} not read")
    return f"{_count(len(answers), 'file')}: {', '.join(parts)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _title(number: int, pair: Pair) -> str:
    photo, answer = pair
    count = (
        "not read" if isinstance(answer, Refusal) else format_face_count(len(answer.faces)).lower()
    )
    return f"{number + 1} · {display_name(photo.name)} ({count})"


def _make_rows(pairs: Sequence[Pair], share: str) -> list[Row]:
    """Return a row per face; ``share`` is the heading of its column."""
    columns = ("Face", "Answer", share, _LIKELY, "Face no.", _NETWORKS, "Remarks")
    rows: list[Row] = []
    for number, (photo, answer) in enumerate(pairs):
        empty = {"Photo": display_name(photo.name), **dict.fromkeys(columns)}
        if isinstance(answer, Refusal):
            rows.append((number, {**empty, "Answer": NOT_READ, "Remarks": answer.message}))
        elif not answer.faces:
            notes = " ".join(answer.notes)
            rows.append((number, {**empty, "Answer": NO_FACE_ANSWER, "Remarks": notes}))
        else:
            rows.extend((number, {**empty, **_make_row(face, share)}) for face in answer.faces)
    for name in _OPTIONAL:
        if not any(row[name] for _, row in rows):
            for _, row in rows:
                del row[name]
    return rows


def _make_table(rows: Sequence[dict[str, Any]], share: str) -> Any:
    """Return the rows for Streamlit: shares read as on the cards and sort as numbers."""
    import pandas as pd

    table = pd.DataFrame(rows)
    formats: dict[str, Any] = {share: format_probability, "Face no.": "{:.0f}"}
    return table.style.format({name: formats[name] for name in formats if name in table}, na_rep="")


def _make_row(face: FaceAnalysis, share: str) -> dict[str, Any]:
    top, probability = face.emotions.ranked()[0]
    return {
        "Face": crop_data_url(face),
        "Answer": format_answer(face.emotions),
        share: probability,
        _LIKELY: None if face.emotions.certain else format_emotion(top),
        "Face no.": face.index,
        _NETWORKS: format_agreement(face),
        "Remarks": " ".join(face.quality.reasons),
    }
