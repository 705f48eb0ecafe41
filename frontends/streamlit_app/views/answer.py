"""The answer to one photo: framed faces, a card for each, and files to save."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core import AnalyzerConfig, ImageAnalysis
from frontends.cards import MANY, cards_html
from frontends.streamlit_app.closeup import enlarge_crop
from frontends.streamlit_app.downloads import csv_file, json_file
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import persist, ready_analyzer, workspace
from frontends.streamlit_app.views.group import show_group
from frontends.streamlit_app.views.model_page import show_no_face, show_refusal
from frontends.streamlit_app.views.turning import offer_turning
from frontends.streamlit_app.workspace import Answer, Refusal
from frontends.wording import (
    describe_faces,
    display_name,
    escape_markdown,
    format_answer,
    format_face,
    format_face_count,
    keep_units,
    safe_stem,
)

if TYPE_CHECKING:
    from core import Analyzer

_NAMED = 2
"""Up to this many faces a caption names one by one; more of them are counted."""


def show_answer(
    photo: Photo, answer: Answer, analyzer: Analyzer, ensemble: AnalyzerConfig | None = None
) -> None:
    """Show everything about one photo; ``ensemble`` adds each network's scores on request."""
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
            per_model = _show_picture(photo, answer, analyzer, offer_networks=ensemble is not None)
        with right:
            faces = answer.faces
            if ensemble is not None and per_model:
                with st.spinner("Running every model."):
                    loaded = ready_analyzer(ensemble)
                    faces = workspace().add_per_model_answers(photo, answer, loaded)
            size_wh = answer.width, answer.height
            if len(faces) > MANY:
                show_group(faces, size_wh, partial(_offer_files, photo, answer))
            else:
                st.html(cards_html(faces, size_wh))
    if len(answer.faces) <= MANY:
        _offer_files(photo, answer)


def _show_picture(
    photo: Photo, analysis: ImageAnalysis, analyzer: Analyzer, *, offer_networks: bool
) -> bool:
    """Show the picture and what can be added to it; return whether to run every network."""
    frame = st.container(key="picture")
    with st.container(horizontal=True, gap="small"):
        offer_turning(photo, analysis)
        landmarks = st.toggle(
            "Landmarks",
            help="The points on the face by which it is turned upright and cropped.",
            **persist("landmarks"),
        )
        attention = st.toggle(
            "What the network looked at",
            help="Warm colours mark the places that count most for each face's most likely "
            "emotion (Grad-CAM).",
            **persist("attention"),
        )
        crops = st.toggle(
            "Faces as the network saw them",
            help="Turned upright, cropped and reduced to 48 x 48 grey pixels. This is all the "
            "network sees.",
            **persist("crops"),
        )
        per_model = offer_networks and st.toggle(
            "What each network says",
            help="Runs every network on each face and shows on its card whether they agree. "
            "The answer stays that of the model chosen in the settings.",
            **persist("opinions"),
        )
    explained_by = analyzer if attention else None
    with frame, st.spinner("Drawing the answer.", show_time=False):
        picture = workspace().draw(photo, analysis, landmarks=landmarks, explained_by=explained_by)
        st.image(picture, caption=_caption(analysis))
    if crops:
        with st.container(key="crops_shown"):
            st.image(
                _draw_crops(photo, analysis, explained_by),
                caption=[f"{face.index} · {format_face(face)}" for face in analysis.faces],
                width=150,
            )
    return per_model


def _draw_crops(
    photo: Photo, analysis: ImageAnalysis, explained_by: Analyzer | None
) -> list[bytes]:
    memory = workspace()
    maps = memory.explain(photo, analysis, explained_by) if explained_by else None
    settings = analysis.provenance.config_digest
    return [
        memory.drawn.get(
            ("crop", *photo.key, settings, place, maps is not None),
            partial(enlarge_crop, analysis, face, maps[place] if maps else None),
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
    count = format_face_count(len(analysis.faces))
    return f"{name}: {count}. {escape_markdown(keep_units(answers))}"


def _offer_files(photo: Photo, analysis: ImageAnalysis) -> None:
    stem, memory = safe_stem(photo.name), workspace()
    annotated = partial(memory.encode_annotated_png, photo, analysis)
    blurred = partial(memory.encode_blurred_png, photo, analysis)
    table, data = partial(csv_file, [analysis]), partial(json_file, analysis)
    offer_downloads(
        "of_one",
        [
            ("Picture (PNG)", annotated, f"{stem}.annotated.png", "image/png"),
            *(
                [("Faces blurred (PNG)", blurred, f"{stem}.blurred.png", "image/png")]
                if analysis.faces
                else []
            ),
            ("Table (CSV)", table, f"{stem}.emotions.csv", "text/csv"),
            ("Data (JSON)", data, f"{stem}.emotions.json", "application/json"),
        ],
    )
    if analysis.faces:
        st.caption("Faces without a frame are not blurred. Check the picture before you share it.")


def offer_downloads(place: str, offers: list[tuple[str, partial[bytes], str, str]]) -> None:
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
