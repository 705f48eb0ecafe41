"""Where photos come from: uploaded, taken with the camera, or the sample."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core import MAX_FILE_BYTES, READABLE
from frontends.sample import SAMPLE_CREDIT, SAMPLE_NAME, sample_photo
from frontends.streamlit_app.photos import MAX_BYTES, MAX_PHOTOS, Photo, limit_photos
from frontends.streamlit_app.state import persist, workspace
from frontends.wording import display_name

_THUMBNAIL = Path(__file__).parents[1] / "sample.jpg"
"""The sample, small."""
UPLOAD, CAMERA, SAMPLE = "Upload photos", "Take a picture", "Sample photo"


def choose_photos() -> tuple[Photo, ...]:
    """Return the photos to answer, turned as the visitor chose; empty until there are some."""
    return workspace().apply_turns(_take_photos())


def _take_photos() -> tuple[Photo, ...]:
    # The sample's button sets it as well, which Streamlit allows only without a default.
    st.session_state.setdefault("source", UPLOAD)
    source = st.segmented_control(
        "Where from",
        [UPLOAD, CAMERA, SAMPLE],
        required=True,
        **persist("source"),
        label_visibility="collapsed",
    )
    if source == CAMERA:
        return _from_camera()
    if source == SAMPLE:
        st.caption(SAMPLE_CREDIT)
        return (Photo.of(SAMPLE_NAME, sample_photo()),)
    return _from_uploads()


def choose_one_photo() -> Photo | None:
    """Return one of them; None until the visitor gives some."""
    photos = choose_photos()
    if len(photos) < 2:
        return photos[0] if photos else None
    number = st.selectbox(
        "Photo",
        range(len(photos)),
        format_func=lambda each: f"{each + 1} · {display_name(photos[each].name)}",
        **persist("photo"),
    )
    return photos[number]


def _from_uploads() -> tuple[Photo, ...]:
    # No filter by type: the content decides, and the reader's refusal says what to do instead.
    given = st.file_uploader(
        "Press Upload, or drop photos here",
        accept_multiple_files=True,
        key="uploads",
        on_change=_store_uploads,
    )
    # The browser refuses these without telling the server, so style.css shows this sentence.
    st.html(
        f'<p class="too-large">Files marked in red are larger than {MAX_FILE_BYTES // 1024**2} MB '
        "and are left out. Save them smaller or as JPEG, then add them again.</p>"
    )
    memory = workspace()
    if memory.left_out:
        st.warning(
            f"{memory.left_out} of the photos are left out: at most {MAX_PHOTOS} photos and "
            f"{MAX_BYTES // 1_000_000} MB fit at once. Remove some above, then add the rest."
        )
    if not memory.uploads:
        kinds = READABLE.replace(" and ", " or ")
        st.caption(f"One or more photos ({kinds}) of people who have agreed.")
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", key="sample_offer"
        ):
            st.image(_THUMBNAIL, width=72)
            with st.container(width="stretch", gap=None):
                st.markdown("**No photo at hand?**")
                st.caption(SAMPLE_CREDIT)
            st.button(
                "Try the sample photo",
                on_click=lambda: st.session_state.update(source=SAMPLE),
            )
    if memory.uploads and not given:
        # The uploader forgets its files while another page is shown; the workspace does not.
        with st.container(horizontal=True, vertical_alignment="center"):
            count = len(memory.uploads)
            st.caption("Your photo is still here." if count == 1 else "Your photos are still here.")
            st.button("Start over", on_click=_forget_uploads)
    return memory.uploads


def _from_camera() -> tuple[Photo, ...]:
    st.camera_input(
        "Take a picture of yourself or of people who have agreed",
        key="camera",
        on_change=_store_picture,
        width=560,
    )
    return workspace().camera


def _store_uploads() -> None:
    memory = workspace()
    files = st.session_state["uploads"] or []
    photos = [Photo.of(file.name, file.getvalue()) for file in files]
    memory.uploads = limit_photos(photos)
    memory.left_out = len({photo.key for photo in photos}) - len(memory.uploads)


def _forget_uploads() -> None:
    memory = workspace()
    memory.uploads, memory.left_out = (), 0


def _store_picture() -> None:
    taken = st.session_state["camera"]
    workspace().camera = () if taken is None else (Photo.of(taken.name, taken.getvalue()),)
