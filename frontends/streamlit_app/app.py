"""Starts the Streamlit app: `emotion app`, or `streamlit run frontends/streamlit_app/app.py`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path

from streamlit import config, get_option
from streamlit.starlette import App

ROOT = str(Path(__file__).resolve().parents[2])
# Streamlit puts only this folder on the path; `core` must come from this repository.
if sys.path[0] != ROOT:
    sys.path.insert(0, ROOT)

from frontends.live_socket import camera_route
from frontends.streamlit_app.opening import open_in_browser


def _read_options() -> dict[str, str | int]:
    """Return the options of the command line. `streamlit run` takes every option of Streamlit."""
    parser = ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--server.port", type=int, metavar="PORT")
    parser.add_argument("--server.headless", choices=("true", "false"), help="open no browser")
    return {name: value for name, value in vars(parser.parse_args()).items() if value is not None}


options = _read_options() if __name__ == "__main__" else {}
if options:
    # Before anything reads a setting: Streamlit warns of each that changes after that.
    config.get_config_options(force_reparse=True, options_from_flags=options)

# Streamlit's pages, and beside them the connections of the page Live.
app = App(
    Path(__file__).with_name("script.py"),
    routes=[camera_route(get_option("server.baseUrlPath"))],
    lifespan=open_in_browser,
)

if __name__ == "__main__":
    # `streamlit run` answers Ctrl-C with a failure.
    with suppress(KeyboardInterrupt):
        app.run(config=options)
