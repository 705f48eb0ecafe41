"""Controls by which a visitor corrects answers, and saves the corrections."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import EMOTIONS, FaceAnalysis, ImageAnalysis
from frontends.cards import MANY
from frontends.streamlit_app.corrections import CANT_TELL, MOST
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.state import workspace
from frontends.streamlit_app.views.saving import offer_downloads
from frontends.wording import escape_markdown, format_face

_CHOICES = [*(emotion.value for emotion in EMOTIONS), CANT_TELL]


def offer_correcting(photo: Photo, analysis: ImageAnalysis) -> None:
    """Show a choice for each face; for many faces, first a choice of the face."""
    with st.expander("Correct an answer"):
        st.caption(
            "What do you see? Click your choice again to remove it. Corrections stay on this page. "
            "No network learns from them unless you save them and train one yourself."
        )
        for face in _choose_faces(photo, analysis.faces):
            _offer_choice(photo, analysis, face)
        if len(workspace().corrections) >= MOST:
            st.warning(f"There are {MOST:,} corrections, the most in a visit. Save them first.")


def offer_corrections() -> None:
    """Show how many corrections there are in this visit, and offer to save or remove them."""
    corrections = workspace().corrections
    if not len(corrections):
        return
    labelled, unknown = corrections.count()
    counts = [f"{labelled} labelled {'face' if labelled == 1 else 'faces'}"] if labelled else []
    counts += [f"{unknown} you can't tell"] if unknown else []
    with st.container(border=True, key="corrections"):
        words = ", ".join(counts)
        st.markdown(
            f"**Your corrections:** {words}. They are gone when you close or reload this page."
        )
        files = [("Corrections (CSV)", corrections.to_csv, "corrections.csv", "text/csv")]
        if labelled:
            faces = "Labelled faces (ZIP)", corrections.to_zip, "faces.zip", "application/zip"
            files.append(faces)
        offer_downloads("of_corrections", files)
        if labelled:
            st.caption(
                "The ZIP has the faces in folders named by emotion, for `emotion evaluate` and "
                "`emotion train`."
            )
        st.button("Remove all corrections", on_click=corrections.clear, key="clear_corrections")


def _choose_faces(photo: Photo, faces: Sequence[FaceAnalysis]) -> Sequence[FaceAnalysis]:
    if len(faces) <= MANY:
        return faces
    place = st.selectbox(
        "Face",
        range(len(faces)),
        format_func=lambda number: f"{faces[number].index} · {format_face(faces[number])}",
        key=f"face_to_correct_{photo.digest}",
    )
    return faces[place : place + 1]


def _offer_choice(photo: Photo, analysis: ImageAnalysis, face: FaceAnalysis) -> None:
    from core import encode_png

    corrections = workspace().corrections
    settings = analysis.provenance.config_digest
    # With another key it is another control, which begins with what is kept.
    key = f"correct_{photo.digest}_{photo.name}_{settings}_{analysis.turned}_{face.index}"
    key = f"{key}_{corrections.cleared}"
    said = corrections.find(photo, analysis, face)
    picture, choice = st.columns([1, 6], gap="small")
    picture.image(encode_png(face.crop), width=44)
    with choice:
        st.pills(
            f"Face {face.index}: {escape_markdown(format_face(face))}",
            _CHOICES,
            default=said,
            format_func=str.capitalize,
            key=key,
            on_change=lambda: corrections.set(photo, analysis, face, st.session_state[key]),
        )
