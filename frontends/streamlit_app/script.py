"""What Streamlit runs for each visitor and each input; `app.py` beside it starts the server."""

from frontends.streamlit_app.pages import run

run()
