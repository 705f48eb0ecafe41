"""How the app's server starts and ends."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import threading
from tempfile import TemporaryFile

import pytest

from cli.serve import streamlit_command
from frontends.streamlit_app import opening
from tests.browser.serving import free_port, wait_for

# asyncio.run() frees a loop that Gradio left behind in another module's tests.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def options(monkeypatch):
    result = {
        "server.headless": False,
        "server.port": 8503,
        "server.baseUrlPath": "",
        "server.sslCertFile": None,
    }
    monkeypatch.setattr(opening, "get_option", result.__getitem__)
    return result


@pytest.fixture
def shown(monkeypatch):
    """The addresses that a browser opened, and an event set when it did."""
    addresses, opened = [], threading.Event()

    def show(address):
        addresses.append(address)
        opened.set()

    monkeypatch.setattr(opening.webbrowser, "open", show)
    return addresses, opened


def run():
    async def serve():
        async with opening.open_in_browser(None):
            pass

    asyncio.run(serve())
    gc.collect()


@pytest.mark.parametrize(
    ("changed", "address"),
    [
        ({}, "http://localhost:8503/"),
        ({"server.baseUrlPath": "/faces/"}, "http://localhost:8503/faces"),
        ({"server.sslCertFile": "a.pem"}, "https://localhost:8503/"),
    ],
)
def test_browser_opens_the_address_of_the_page(options, shown, changed, address):
    options.update(changed)
    run()
    addresses, opened = shown
    assert opened.wait(10)
    assert addresses == [address]


def test_headless_server_opens_no_browser(options, shown):
    options["server.headless"] = True
    run()
    assert not shown[1].wait(0.3)


def test_server_starts_without_a_warning_and_ctrl_c_ends_it_silently(root):
    port = free_port()
    command = [*streamlit_command(port), "--server.headless", "true"]
    # A shell's `&` starts tests with Ctrl-C ignored, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with (
        TemporaryFile() as log,
        subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=log) as server,
    ):
        signal.signal(signal.SIGINT, before)
        try:
            wait_for(f"http://localhost:{port}/_stcore/health", server, log)
            server.send_signal(signal.SIGINT)
            assert server.wait(60) == 0
            log.seek(0)
            messages = log.read()
            assert b"Traceback" not in messages
            assert b"please restart streamlit" not in messages
        finally:
            server.kill()
