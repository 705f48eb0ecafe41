"""Open the page in the browser, as `streamlit run` does for a script without a server."""

from __future__ import annotations

import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread

from streamlit import get_option


@asynccontextmanager
async def open_in_browser(_app: object) -> AsyncIterator[None]:
    """Open the page once the server runs, which Streamlit's App does not do itself."""
    if not get_option("server.headless"):
        # Some browsers block the program that opens them.
        Thread(target=webbrowser.open, args=(page_address(),), daemon=True).start()
    yield


def page_address() -> str:
    """Return the address of the page on this computer."""
    scheme = "https" if get_option("server.sslCertFile") else "http"
    base = get_option("server.baseUrlPath").strip("/")
    return f"{scheme}://localhost:{get_option('server.port')}/{base}"
