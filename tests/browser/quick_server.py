"""The server of the Streamlit app with a model that answers at once, for `streamlit run`."""

from __future__ import annotations

from pathlib import Path

from streamlit.starlette import App

from frontends.film_files import film_route
from frontends.live_socket import camera_routes

app = App(Path(__file__).with_name("quick_app.py"), routes=[*camera_routes(), film_route()])
