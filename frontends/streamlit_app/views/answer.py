"""The answer to one photo: framed faces, a card for each, and files to save."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core import AnalyzerConfig, FaceAnalysis, ImageAnalysis
from frontends.face_card import cards_html
from frontends.streamlit_app.closeup import enlarged_crop
from frontends.streamlit_app.downloads import csv_file, json_file
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import ready_analyzer, workspace
from frontends.streamlit_app.workspace import Answer, Refusal
from frontends.wording import (
    NO_FACE,
    NO_FACE_HELP,
    describe_faces,
    display_name,
    escape_markdown,
    format_answer,
    format_face,
    format_face_count,
    safe_stem,
)

if TYPE_CHECKING:
    from core import Analyzer

_NAMED = 2
"""Faces that a caption names one by one; more of them are counted."""


def show_answer(
    photo: Photo, answer: Answer, analyzer: Analyzer, everyone: AnalyzerConfig | None = None
) -> None:
    """Everything about one photo; ``everyone`` is the ensemble, where it can be asked too."""
    if isinstance(answer, Refusal):
        show_refusal(photo.name, answer)
        return
    for note in answer.notes:
        st.caption(escape_markdown(note))
    if not answer.faces:
        show_no_face(photo, answer)
    else:
        left, right = st.columns([3, 2], gap="medium")
        with left:
            opinions = _picture(photo, answer, analyzer, everyone)
        with right:
            st.html(
                cards_html(_with_opinions(photo, answer, everyone) if opinions else answer.faces)
            )
    _downloads(photo, answer)


def _with_opinions(
    photo: Photo, answer: ImageAnalysis, everyone: AnalyzerConfig | None
) -> tuple[FaceAnalysis, ...]:
    if everyone is None:
        return answer.faces
    with st.spinner("Running every model."):
        return workspace().add_per_model_answers(photo, answer, ready_analyzer(everyone))


def show_refusal(name: str, refused: Refusal) -> None:
    """Why a photo was not answered, and what to do."""
    title = escape_markdown(display_name(name))
    message, hint = escape_markdown(refused.message), escape_markdown(refused.hint)
    st.error(f"**{title}** could not be read. {message}\n\n{hint}")


def _picture(
    photo: Photo, analysis: ImageAnalysis, analyzer: Analyzer, everyone: AnalyzerConfig | None
) -> bool:
    """The picture and what can be added to it; whether the opinions of all networks are wanted."""
    frame = st.container(key="picture")
    with st.container(horizontal=True, gap="small"):
        landmarks = st.toggle(
            "Landmarks",
            help="The points on the face by which it is turned upright and cut out.",
            key="landmarks",
            persist_state="session",
        )
        attention = st.toggle(
            "What the network looked at",
            help="Warm colours mark what speaks most for each face's most probable emotion "
            "(Grad-CAM).",
            key="attention",
            persist_state="session",
        )
        cut_out = st.toggle(
            "Faces as the network saw them",
            help="Turned upright, cut out and reduced to 48 x 48 grey pixels: all it knows.",
            key="crops",
            persist_state="session",
        )
        opinions = everyone is not None and st.toggle(
            "What each network says",
            help="Asks every network about each face, and tells on its card whether they agree. "
            "The answer stays that of the model chosen in the settings.",
            key="opinions",
            persist_state="session",
        )
    with frame, st.spinner("Drawing the answer.", show_time=False):
        picture = workspace().shown(
            photo,
            analysis,
            landmarks=landmarks,
            explained_by=analyzer if attention else None,
        )
        st.image(picture, caption=_caption(analysis))
    if cut_out:
        with st.container(key="crops_shown"):
            st.image(
                _crops(photo, analysis, analyzer if attention else None),
                caption=[f"{face.index} · {format_face(face)}" for face in analysis.faces],
                width=150,
            )
    return opinions


def _crops(photo: Photo, analysis: ImageAnalysis, explained_by: Analyzer | None) -> list[bytes]:
    memory = workspace()
    maps = memory.maps(photo, analysis, explained_by) if explained_by else None
    settings = analysis.provenance.config_digest
    return [
        memory.get_picture(
            ("crop", photo.name, photo.digest, settings, place, maps is not None),
            partial(enlarged_crop, analysis, face, maps[place] if maps else None),
        )
        for place, face in enumerate(analysis.faces)
    ]


def _caption(analysis: ImageAnalysis) -> str:
    if len(analysis.faces) <= _NAMED:
        answers = describe_faces(analysis)
    else:
        words = Counter(format_answer(face.emotions).lower() for face in analysis.faces)
        answers = ", ".join(f"{count} {word}" for word, count in words.most_common())
    name = escape_markdown(display_name(analysis.name))
    return f"{name}: {format_face_count(analysis)}. {escape_markdown(answers)}"


def show_no_face(photo: Photo, analysis: ImageAnalysis) -> None:
    """The picture, and what to try."""
    left, right = st.columns([5, 4], gap="medium")
    with left, st.container(key="picture"):
        st.image(
            workspace().shown(photo, analysis), caption=escape_markdown(display_name(analysis.name))
        )
    with right:
        st.info(f"**{NO_FACE}**\n\n{NO_FACE_HELP}")


def _downloads(photo: Photo, analysis: ImageAnalysis) -> None:
    stem = safe_stem(photo.name)
    offers = [
        (
            "Picture (PNG)",
            partial(workspace().png, photo, analysis),
            f"{stem}.annotated.png",
            "image/png",
        ),
        (
            "Faces blurred (PNG)",
            partial(workspace().blurred_png, photo, analysis),
            f"{stem}.blurred.png",
            "image/png",
        ),
        ("Table (CSV)", partial(csv_file, [analysis]), f"{stem}.emotions.csv", "text/csv"),
        (
            "Data (JSON)",
            partial(json_file, analysis),
            f"{stem}.emotions.json",
            "application/json",
        ),
    ]
    offer_downloads("of_one", offers)
    if analysis.faces:
        st.caption("Only framed faces are blurred.")


def offer_downloads(place: str, offers: list[tuple[str, partial[bytes], str, str]]) -> None:
    """Buttons in a row; each is a label, what makes the file, its name and its type."""
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
