"""Starts the Streamlit app: `emotion app`, or `streamlit run frontends/streamlit_app/app.py`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.middleware import Middleware
from streamlit import config, get_option, net_util
from streamlit.starlette import App

ROOT = str(Path(__file__).resolve().parents[2])
# Streamlit puts only this folder on the path; `core` must come from this repository.
if sys.path[0] != ROOT:
    sys.path.insert(0, ROOT)

from frontends.connections import SlowBodyGuard, limit_server
from frontends.failures import FailureGuard, shorten_tracebacks
from frontends.film_files import film_route
from frontends.films import delete_all_films
from frontends.live_socket import camera_routes
from frontends.private_folders import delete_all_folders
from frontends.request_guard import RequestGuard
from frontends.streamlit_app import local_access, private_messages
from frontends.streamlit_app.folder_runs import FOLDER_RUNS
from frontends.streamlit_app.opening import open_in_browser
from frontends.streamlit_app.sockets import send_answers_at_once
from frontends.streamlit_app.upload_guard import UploadGuard


def _read_options() -> dict[str, str | int]:
    """Return Streamlit's options; `streamlit run` takes every one of them, but not `--folders`."""
    parser = ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--server.port", type=int, metavar="PORT")
    parser.add_argument("--server.headless", choices=("true", "false"), help="open no browser")
    parser.add_argument(
        "--folders", action="store_true", help="offer the page that reads this computer's folders"
    )
    given = vars(parser.parse_args())
    if given.pop("folders"):
        local_access.allow_folders()
    return {name: value for name, value in given.items() if value is not None}


options = _read_options() if __name__ == "__main__" else {}
if options:
    # Before anything reads a setting: Streamlit warns of each that changes after that.
    config.get_config_options(force_reparse=True, options_from_flags=options)


# Streamlit asks a server on the internet for this computer's public address when it does not know
# the website that a connection comes from. Nothing here may ever be looked up.
net_util.get_external_ip = lambda: None
private_messages.hide_script_path()
limit_server()
shorten_tracebacks()
send_answers_at_once()


@asynccontextmanager
async def _run(app: object) -> AsyncIterator[None]:
    async with open_in_browser(app):
        yield
    delete_all_films()
    delete_all_folders()
    FOLDER_RUNS.stop()


base = get_option("server.baseUrlPath")
# Streamlit's pages, and beside them the connections of the page Live and the files of Video.
app = App(
    Path(__file__).with_name("script.py"),
    routes=[*camera_routes(base), film_route(base)],
    middleware=[
        Middleware(RequestGuard),
        Middleware(SlowBodyGuard),
        Middleware(FailureGuard),
        Middleware(UploadGuard),
    ],
    lifespan=_run,
)

if __name__ == "__main__":
    # `streamlit run` answers Ctrl-C with a failure.
    with suppress(KeyboardInterrupt):
        app.run(config=options)
