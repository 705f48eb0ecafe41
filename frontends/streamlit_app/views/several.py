"""Several photos: a summary, and a table of all faces beside one of the photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from frontends.cards import crop_data_url, group_html
from frontends.streamlit_app.downloads import csv_of_all, json_list, report_file, zip_file
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import persist, workspace
from frontends.streamlit_app.views.answer import annotate_as_shown, show_answer
from frontends.streamlit_app.views.saving import offer_downloads
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
_TINT = "background-color: rgba(58, 143, 214, 0.18)"
"""Of the rows of the photo that is shown, on light and on dark."""
_PICKED = "picked_photo"
_NETWORKS = "Networks"
_LIKELY = "Most likely"
_SHARE = {Reading.PEOPLE: "People", Reading.FER2013: "Probability"}
"""The column of how many people would say the most likely emotion, or how probable a label is."""
_SHARE_WIDTHS = {_SHARE[Reading.PEOPLE]: 70, _SHARE[Reading.FER2013]: 90}
_TABLE_HELP = {
    Reading.PEOPLE: "People: the share of people who would name that emotion.",
    Reading.FER2013: "Probability: how probable that label is in FER-2013.",
}
_OPTIONAL = (_LIKELY, _NETWORKS)
"""Columns that are left out if they are empty."""
NO_FACE_ANSWER, NOT_READ = "No face", "Not read"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table."""

    number: int
    """Of the photo among all."""
    cells: dict[str, Any]
    face: FaceAnalysis | None = None


def show_several(
    pairs: Sequence[Pair], analyzer: Analyzer, ensemble: AnalyzerConfig | None = None
) -> None:
    """Show a summary, what can be saved, and a table beside the photo that the visitor picks."""
    analyses = [each for _, each in pairs if isinstance(each, ImageAnalysis)]
    share = _SHARE[analyzer.config.reading]
    st.subheader(_headline([answer for _, answer in pairs]), anchor=False)
    left, right = st.columns(2, gap="medium")
    with right:
        rows = _filter(_make_rows(pairs, share))
        if analyses:
            _offer_files(pairs, analyses, analyzer)
    if faces := [row.face for row in rows if row.face is not None]:
        left.html(group_html(faces))
    if not rows:
        st.info("No photo fits what you chose to show.")
        return
    # Both follow the filter.
    numbers = list(dict.fromkeys(row.number for row in rows))
    left, right = st.columns([5, 6], gap="medium")
    with right:
        number = _pick_photo(pairs, numbers)
    with left:
        _show_table(rows, share, number, [_identify(pairs[row.number][0]) for row in rows])
        st.caption(f"{_TABLE_HELP[analyzer.config.reading]} Click a heading to sort.")
    with right:
        show_answer(*pairs[number], analyzer, ensemble)


def _pick_photo(pairs: Sequence[Pair], numbers: Sequence[int]) -> int:
    """Offer to go through the photos with ``numbers`` and return which one to show."""
    names = [_identify(pairs[number][0]) for number in numbers]
    if st.session_state.get(_PICKED) not in names:
        # The first photo with a face in it.
        answers = [pairs[number][1] for number in numbers]
        with_faces = (
            name
            for name, each in zip(names, answers, strict=True)
            if isinstance(each, ImageAnalysis) and each.faces
        )
        _pick(next(with_faces, names[0]))
    place = names.index(st.session_state[_PICKED])
    titles = {
        name: _title(number, pairs[number]) for name, number in zip(names, numbers, strict=True)
    }
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for words, key, step in (("Previous", "P", -1), ("Next", "N", 1)):
            # After the last one comes the first: a button that does nothing is hard to read.
            st.button(
                words,
                shortcut=key,
                key=f"go_{words}",
                on_click=_pick,
                args=(names[(place + step) % len(names)],),
            )
        picked = st.selectbox(
            "Photo to look at",
            names,
            format_func=titles.__getitem__,
            label_visibility="collapsed",
            **persist(_PICKED),
        )
    return numbers[names.index(picked)]


def _identify(photo: Photo) -> str:
    """Return what stays the same when other photos come and go and this one is turned."""
    return f"{photo.digest} {photo.name}"


def _pick(name: str) -> None:
    st.session_state[_PICKED] = name


def _show_table(rows: Sequence[Row], share: str, shown: int, names: Sequence[str]) -> None:
    """Show ``rows``, those of the photo ``shown`` tinted; a click picks a row's photo by name."""
    st.caption("Click a row to see its photo.")
    st.dataframe(
        _make_table(rows, share, shown),
        hide_index=True,
        placeholder="",
        column_config={
            # Narrow, so that a phone shows the first four and a laptop five.
            "Photo": st.column_config.TextColumn(width=95),
            "Face": st.column_config.ImageColumn(width=55),
            "Answer": st.column_config.TextColumn(width=75),
            share: st.column_config.NumberColumn(width=_SHARE_WIDTHS[share]),
            _LIKELY: st.column_config.TextColumn(width=90),
            "Face no.": st.column_config.NumberColumn(width=75),
            "Remarks": st.column_config.TextColumn(width="large"),
        },
        row_height=44,
        key="table",
        # A click on a row: with whole rows Streamlit wants a tick.
        selection_mode="single-cell",
        on_select=partial(_pick_row, names),
    )


def _offer_files(
    pairs: Sequence[Pair], analyses: Sequence[ImageAnalysis], analyzer: Analyzer
) -> None:
    annotate = annotate_as_shown(analyzer)
    everything = partial(zip_file, pairs, workspace(), annotate)
    table, data = partial(csv_of_all, pairs), partial(json_list, analyses)
    offer_downloads(
        "of_all",
        [
            ("Everything (ZIP)", everything, "emotions.zip", "application/zip"),
            (
                "Report on all (HTML)",
                partial(report_file, pairs, annotate),
                "emotions.html",
                "text/html",
            ),
            ("Table (CSV)", table, "emotions.csv", "text/csv"),
            ("All data (JSON)", data, "emotions.json", "application/json"),
        ],
    )


def _pick_row(names: Sequence[str]) -> None:
    """Pick the photo of the clicked row; ``names`` tells which one each row belongs to."""
    clicked = st.session_state["table"]["selection"]["cells"]
    if clicked and clicked[0][0] < len(names):
        _pick(names[clicked[0][0]])


def _filter(rows: list[Row]) -> list[Row]:
    """Return the rows that the visitor wants to see."""
    there = {row.cells["Answer"] for row in rows}
    order = [*map(format_emotion, EMOTIONS), NOT_SURE, NO_FACE_ANSWER, NOT_READ]
    shown = st.pills(
        "Show only",
        [answer for answer in order if answer in there],
        selection_mode="multi",
        **persist("shown_answers"),
    )
    part = st.text_input("Show only photos whose name contains", **persist("shown_names"))
    return [
        row
        for row in rows
        if (not shown or row.cells["Answer"] in shown)
        and part.casefold() in row.cells["Photo"].casefold()
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
            rows.append(Row(number, {**empty, "Answer": NOT_READ, "Remarks": answer.message}))
        elif not answer.faces:
            notes = " ".join(answer.notes)
            rows.append(Row(number, {**empty, "Answer": NO_FACE_ANSWER, "Remarks": notes}))
        else:
            rows.extend(
                Row(number, {**empty, **_make_row(face, share)}, face) for face in answer.faces
            )
    for name in _OPTIONAL:
        if not any(row.cells[name] for row in rows):
            for row in rows:
                del row.cells[name]
    return rows


def _make_table(rows: Sequence[Row], share: str, picked: int) -> Any:
    """Return the rows for Streamlit: shares read as on the cards and sort as numbers."""
    import pandas as pd

    table = pd.DataFrame([row.cells for row in rows])
    formats: dict[str, Any] = {share: format_probability, "Face no.": "{:.0f}"}
    formats = {name: formats[name] for name in formats if name in table}
    tints = [_TINT if row.number == picked else "" for row in rows]
    return table.style.format(formats, na_rep="").apply(lambda _: tints, axis="index")


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
