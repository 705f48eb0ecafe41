"""Where photos come from: uploaded, taken with the camera, or the sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from core import MAX_FILE_BYTES, READABLE
from frontends.sample import SAMPLE_CREDIT, SAMPLE_NAME, sample_photo
from frontends.streamlit_app.local_access import may_read_folders
from frontends.streamlit_app.photos import MAX_BYTES, MAX_PHOTOS, Photo, limit_photos
from frontends.streamlit_app.state import persist, workspace
from frontends.streamlit_app.workspace import Workspace
from frontends.wording import display_name, escape_markdown

_THUMBNAIL = Path(__file__).parents[1] / "sample.jpg"
"""The sample, small."""
UPLOAD, CAMERA, SAMPLE = "Upload photos", "Take a picture", "Sample photo"


def choose_photos() -> tuple[Photo, ...]:
    """Return the photos to answer, turned as the visitor chose; empty until there are some."""
    return workspace().apply_turns(_take_photos())


def _take_photos() -> tuple[Photo, ...]:
    # The sample's button sets it as well, which Streamlit allows only without a default. Set in
    # every run, since Streamlit sends only what was set in this one to a page that is new.
    st.session_state["source"] = st.session_state.get("source", UPLOAD)
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
    st.file_uploader(
        "Press Upload, or drop photos here",
        accept_multiple_files=True,
        key="uploads",
        on_change=_store_uploads,
        max_upload_size=MAX_FILE_BYTES // 1024**2,
    )
    # The browser refuses these without telling the server, so style.css shows this sentence.
    st.html(
        f'<p class="too-large">Files marked in red are larger than {MAX_FILE_BYTES // 1024**2} MB '
        "and are left out. Save them smaller or as JPEG, then add them again.</p>"
    )
    memory = workspace()
    # The uploader forgets its files while another page is shown; the workspace does not.
    uploads = _list_uploads()
    if any(
        isinstance(each, UploadedFile) and each.file_id not in memory.listed for each in uploads
    ):
        _store_uploads()  # a new connection's first files come without a change
    there = {each.file_id for each in uploads}
    memory.listed = {number: key for number, key in memory.listed.items() if number in there}
    _show_lost(len(there - memory.listed.keys()))
    _show_kept(memory)
    if memory.left_out:
        where = "on the page Folder" if may_read_folders() else "with the command `emotion batch`"
        st.warning(
            f"{memory.left_out} of the photos are left out: at most {MAX_PHOTOS} photos and "
            f"{MAX_BYTES // 1_000_000} MB fit at once. Remove some above, then add the rest. "
            f"For more photos, read their folder {where}."
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
    return memory.uploads


def _from_camera() -> tuple[Photo, ...]:
    st.camera_input(
        "Take a picture of yourself or of people who have agreed",
        key="camera",
        on_change=_store_picture,
        width=560,
    )
    return workspace().camera


def _list_uploads() -> Sequence[UploadedFile | DeletedFile]:
    """Return what the uploader lists; deleted are those that a new connection's server lacks."""
    return st.session_state["uploads"] or ()


def _show_lost(count: int) -> None:
    """Say that so many files have to be added again."""
    if count:
        them = "it" if count == 1 else "them"
        st.warning(
            f"The connection was lost, and with it {count} of the files above. "
            f"Remove {them}, then add {them} again."
        )


def _show_kept(memory: Workspace) -> None:
    """List the photos that the uploader does not list any more, each with a button to remove it."""
    listed = set(memory.listed.values())
    kept = [photo for photo in memory.uploads if photo.key not in listed]
    if not kept:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="kept"):
        st.caption(
            "Your photo is still here." if len(kept) == 1 else "Your photos are still here.",
            width="content",
        )
        st.button("Remove all", on_click=_forget_kept)
        for photo in kept:
            name = display_name(photo.name)
            st.button(
                escape_markdown(name),
                icon=":material/close:",
                icon_position="right",
                help="Remove this photo",
                key=f"remove_{photo.digest}_{name}",
                on_click=memory.remove_upload,
                args=(photo,),
            )


def _store_uploads() -> None:
    """Add what the uploader lists now to the photos from before it was shown last."""
    memory = workspace()
    before = memory.listed
    memory.listed, given = {}, []
    for file in _list_uploads():
        if isinstance(file, UploadedFile):
            photo = Photo.of(file.name, file.getvalue())
            given.append(photo)
            memory.listed[file.file_id] = photo.key
        elif file.file_id in before:  # lost since, but its photo is kept
            memory.listed[file.file_id] = before[file.file_id]
    removed = set(before.values()) - set(memory.listed.values())
    photos = [*(photo for photo in memory.uploads if photo.key not in removed), *given]
    memory.uploads = limit_photos(photos)
    memory.left_out = len({photo.key for photo in photos}) - len(memory.uploads)


def _forget_kept() -> None:
    memory = workspace()
    listed = set(memory.listed.values())
    memory.uploads = tuple(photo for photo in memory.uploads if photo.key in listed)
    memory.left_out = 0


def _store_picture() -> None:
    taken = st.session_state["camera"]
    is_there = isinstance(taken, UploadedFile)
    workspace().camera = (Photo.of(taken.name, taken.getvalue()),) if is_there else ()
