"""Starts the Streamlit app: `emotion app`, or `streamlit run frontends/streamlit_app/app.py`."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit import get_option
from streamlit.starlette import App

ROOT = str(Path(__file__).resolve().parents[2])
# Streamlit puts only this folder on the path; `core` must be the one of this repository.
if sys.path[0] != ROOT:
    sys.path.insert(0, ROOT)

from frontends.live_socket import camera_route

# Streamlit's pages, and beside them the connections of the page Live.
app = App(
    Path(__file__).with_name("script.py"), routes=[camera_route(get_option("server.baseUrlPath"))]
)
