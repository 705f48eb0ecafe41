"""The pages of the app and what they have in common."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core import share_heaps
from frontends.cards import FACE_MARKS_FILE, STYLE_FILE
from frontends.streamlit_app.expired_sessions import watch_expired_sessions
from frontends.streamlit_app.local_access import may_read_folders
from frontends.streamlit_app.saved_files import keep_saved_files
from frontends.streamlit_app.views import (
    about,
    analyze,
    compare,
    detection_lab,
    folder,
    landmark_lab,
    live,
    video,
)

_FOLDER = Path(__file__).parent


def run() -> None:
    """Show the page that the visitor chose."""
    share_heaps()
    keep_saved_files()
    watch_expired_sessions()
    st.set_page_config(
        page_title="Photo Emotion",
        page_icon=str(_FOLDER / "icon.png"),
        layout="wide",
        initial_sidebar_state="auto",
        menu_items={"Get help": None, "Report a bug": None},
    )
    st.html(_FOLDER / "style.css")
    st.html(STYLE_FILE)
    pages = [
        st.Page(analyze.page, title="Analyze", url_path="analyze", default=True),
        *([st.Page(folder.page, title="Folder", url_path="folder")] if may_read_folders() else []),
        st.Page(live.page, title="Live", url_path="live"),
        st.Page(video.page, title="Video", url_path="video"),
        st.Page(compare.page, title="Compare", url_path="compare"),
        st.Page(detection_lab.page, title="Detection lab", url_path="detection-lab"),
        st.Page(landmark_lab.page, title="Landmark lab", url_path="landmark-lab"),
        st.Page(about.page, title="About", url_path="about"),
    ]
    st.navigation(pages, position="top").run()
    names = ("picture_texts.js", "zoom_tags.js", "picture_zoom.js", "photo_input.js")
    for file in (*(_FOLDER / name for name in names), FACE_MARKS_FILE):
        script = file.read_text(encoding="utf-8")
        # In braces, so that its declarations do not clash with those of the next page.
        st.html(f"<script>{{{script}}}</script>", unsafe_allow_javascript=True)
