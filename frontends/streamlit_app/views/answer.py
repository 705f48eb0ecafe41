"""The answer to one photo: framed faces, a card for each, and files to save."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core import AnalyzerConfig, ImageAnalysis, RgbImage
from frontends.cards import MANY, cards_html
from frontends.streamlit_app.closeup import enlarge_crop
from frontends.streamlit_app.downloads import Annotate, csv_file, json_file, report_file
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import persist, ready_analyzer, workspace
from frontends.streamlit_app.views.correcting import offer_correcting
from frontends.streamlit_app.views.group import show_group
from frontends.streamlit_app.views.model_page import show_no_face, show_refusal
from frontends.streamlit_app.views.saving import offer_downloads
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

_LANDMARKS, _ATTENTION = "landmarks", "attention"
"""Keys of what can be drawn over the photo."""
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
                show_group(faces, size_wh, partial(_offer_files, photo, answer, analyzer))
            else:
                st.html(cards_html(faces, size_wh))
        # Many tiles would push it far down.
        with left if len(answer.faces) > MANY else right:
            offer_correcting(photo, answer)
    if len(answer.faces) <= MANY:
        _offer_files(photo, answer, analyzer)


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
            **persist(_LANDMARKS),
        )
        attention = st.toggle(
            "What the network looked at",
            help="Warm colours mark the places that count most for each face's most likely "
            "emotion (Grad-CAM).",
            **persist(_ATTENTION),
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
        draw = partial(
            workspace().draw, photo, analysis, landmarks=landmarks, explained_by=explained_by
        )
        st.image(draw(), caption=_caption(analysis))
    # Hidden; zoom_tags.js shows it in place of the other, under frames and tags of constant size.
    with st.container(key="plain_picture"):
        st.image(draw(frames=False))
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


def _offer_files(photo: Photo, analysis: ImageAnalysis, analyzer: Analyzer) -> None:
    stem, memory, annotate = safe_stem(photo.name), workspace(), annotate_as_shown(analyzer)
    table, data = partial(csv_file, [analysis]), partial(json_file, analysis)
    blurred = (
        "Faces blurred (PNG)",
        lambda: _to_png(memory.blur(photo, analysis)),
        f"{stem}.blurred.png",
        "image/png",
    )
    offer_downloads(
        "of_one",
        [
            (
                "Picture (PNG)",
                lambda: _to_png(annotate(photo, analysis)),
                f"{stem}.annotated.png",
                "image/png",
            ),
            *([blurred] if analysis.faces else []),
            (
                "Report (HTML)",
                partial(report_file, [(photo, analysis)], annotate),
                f"{stem}.report.html",
                "text/html",
            ),
            ("Table (CSV)", table, f"{stem}.emotions.csv", "text/csv"),
            ("Data (JSON)", data, f"{stem}.emotions.json", "application/json"),
        ],
    )
    if analysis.faces:
        st.caption("Faces without a frame are not blurred. Check the picture before you share it.")


def _to_png(image: RgbImage) -> bytes:
    from core import encode_png

    return encode_png(image)


def annotate_as_shown(analyzer: Analyzer) -> Annotate:
    """Return what draws over a photo: with landmarks and heat map if they are switched on."""
    return partial(
        workspace().annotate,
        landmarks=bool(st.session_state.get(_LANDMARKS)),
        explained_by=analyzer if st.session_state.get(_ATTENTION) else None,
    )
