"""Where photos come from: uploaded, taken with the camera, or the sample."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from frontends.sample import SAMPLE_NAME, sample_photo
from frontends.streamlit_app.photos import MAX_BYTES, MAX_PHOTOS, Photo, limit_photos
from frontends.streamlit_app.state import workspace
from frontends.wording import SAMPLE_CREDIT, display_name

_THUMBNAIL = Path(__file__).parents[1] / "sample.jpg"
"""The sample, small."""
UPLOAD, CAMERA, SAMPLE = "Upload photos", "Take a picture", "Sample photo"


def choose_photos() -> tuple[Photo, ...]:
    """The photos to answer; empty until the visitor gave some."""
    # A button sets it as well, which Streamlit allows only without a default.
    st.session_state.setdefault("source", UPLOAD)
    source = st.segmented_control(
        "Where from",
        [UPLOAD, CAMERA, SAMPLE],
        required=True,
        key="source",
        persist_state="session",
        label_visibility="collapsed",
    )
    if source == CAMERA:
        return _from_camera()
    if source == SAMPLE:
        st.caption(SAMPLE_CREDIT)
        return (Photo.of(SAMPLE_NAME, sample_photo()),)
    return _from_uploads()


def choose_one_photo() -> Photo | None:
    """One of them; None until the visitor gave some."""
    photos = choose_photos()
    if len(photos) < 2:
        return photos[0] if photos else None
    number = st.selectbox(
        "Photo",
        range(len(photos)),
        format_func=lambda each: f"{each + 1} · {display_name(photos[each].name)}",
        key="photo",
        persist_state="session",
    )
    return photos[number]


def _from_uploads() -> tuple[Photo, ...]:
    # No filter by type: the content decides, and the reader's refusal tells what to do instead.
    given = st.file_uploader(
        "Drop photos here, or press Upload",
        accept_multiple_files=True,
        key="uploads",
        on_change=_take_uploads,
    )
    memory = workspace()
    if memory.left_out:
        st.warning(
            f"{memory.left_out} of the photos are left out: at most {MAX_PHOTOS} photos and "
            f"{MAX_BYTES // 1_000_000} MB are read at once. Remove some above, then add the rest."
        )
    if not memory.uploads:
        st.caption(
            "JPEG, PNG, WebP, BMP, GIF or TIFF, one or many at once, with one or several people "
            "who have agreed."
        )
        _offer_sample()
    if memory.uploads and not given:
        # The uploader forgets its files when another page was shown in between; we do not.
        with st.container(horizontal=True, vertical_alignment="center"):
            count = len(memory.uploads)
            st.caption("Your photo is still here." if count == 1 else "Your photos are still here.")
            st.button("Start over", on_click=_forget_uploads)
    return memory.uploads


def _offer_sample() -> None:
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", key="sample_offer"
    ):
        st.image(_THUMBNAIL, width=72)
        with st.container(width="stretch", gap=None):
            st.markdown("**No photo at hand?**")
            st.caption(SAMPLE_CREDIT)
        st.button("Try the sample photo", on_click=_choose_sample)


def _choose_sample() -> None:
    st.session_state["source"] = SAMPLE


def _from_camera() -> tuple[Photo, ...]:
    st.camera_input(
        "A picture of yourself, or of people who have agreed",
        key="camera",
        on_change=_take_picture,
        width=560,
    )
    return workspace().camera


def _take_uploads() -> None:
    memory = workspace()
    known = {(photo.name, len(photo.data)): photo for photo in memory.uploads}
    photos = []
    for file in st.session_state["uploads"] or []:
        data = file.getvalue()
        before = known.get((file.name, len(data)))
        same = before is not None and before.data == data
        photos.append(before if before is not None and same else Photo.of(file.name, data))
    memory.uploads = limit_photos(photos)
    memory.left_out = len({(p.name, p.digest) for p in photos}) - len(memory.uploads)


def _forget_uploads() -> None:
    memory = workspace()
    memory.uploads, memory.left_out = (), 0


def _take_picture() -> None:
    taken = st.session_state["camera"]
    workspace().camera = () if taken is None else (Photo.of(taken.name, taken.getvalue()),)
