"""What the app's server frees, and when; needs a real server, which alone ends visits."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import pytest
import uvicorn
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from frontends.streamlit_app.expired_sessions import drop_expired_sessions
from frontends.streamlit_app.sockets import send_answers_at_once
from tests.browser.serving import streamlit
from tests.load.streamlit_visits import streamlit_visit

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

SLOWEST_S = 30
PAGE = """
import weakref
from pathlib import Path
import streamlit as st
from frontends.streamlit_app.expired_sessions import watch_expired_sessions

class Held:
    pass

watch_expired_sessions(0.2)
if "held" not in st.session_state:
    st.session_state["held"] = Held()
    weakref.finalize(st.session_state["held"], Path({gone!r}).touch)
"""


def test_visit_is_freed_soon_after_it_is_over_though_nobody_else_comes(tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "1")
    gone = tmp_path / "gone"
    page = tmp_path / "page.py"
    page.write_text(PAGE.format(gone=str(gone)), encoding="utf-8")

    async def stay(address: str) -> None:
        async with streamlit_visit(address):
            await asyncio.sleep(2)  # longer than a visit that is over would be kept
            assert not gone.exists()

    with streamlit(page) as address:
        asyncio.run(stay(address))
        end = time.monotonic() + SLOWEST_S
        while not gone.exists() and time.monotonic() < end:
            time.sleep(0.1)
        assert gone.exists()


COUNTING_PAGE = """
import gc
from pathlib import Path
import streamlit as st

@st.cache_resource
def count():
    collections = [0]

    def called(phase, about):
        collections[0] += phase == "start" and about["generation"] == 2

    gc.collect()  # Python itself sees no reason for another one soon
    gc.callbacks.append(called)
    return collections

with Path({counts!r}).open("a") as file:
    print(*count(), file=file)
"""


def test_a_run_of_a_page_ends_without_a_full_collection(tmp_path):
    counts = tmp_path / "counts"
    page = tmp_path / "page.py"
    page.write_text(COUNTING_PAGE.format(counts=str(counts)), encoding="utf-8")

    async def look_three_times(address: str) -> None:
        async with streamlit_visit(address) as visit:
            await visit.open()
            await visit.open()

    with streamlit(page) as address:
        asyncio.run(look_three_times(address))
    assert counts.read_text().split() == ["0", "0", "0"]


def test_nothing_is_dropped_outside_a_server():
    assert drop_expired_sessions() == 0


def test_nothing_is_looked_up_for_a_connection_from_another_website():
    """Streamlit would ask two servers on the internet for this computer's public address."""
    with socket.create_server(("127.0.0.1", 0)) as proxy, pytest.MonkeyPatch.context() as patch:
        proxy.settimeout(0.5)
        for name in ("http_proxy", "https_proxy"):
            patch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
            patch.setenv(name.upper(), f"http://127.0.0.1:{proxy.getsockname()[1]}")
        patch.setenv("no_proxy", "localhost")
        with streamlit() as address:
            to = address.replace("http", "ws") + "/_stcore/stream"
            # The second comes through a proxy that renames the page, so it gets further.
            for headers in ({}, {"X-Forwarded-Host": "example.org"}):
                with pytest.raises(InvalidStatus, match="403"):
                    connect(to, origin="http://example.org", additional_headers=headers)
            with pytest.raises(TimeoutError):
                proxy.accept()


def test_answers_do_not_wait_until_the_browser_confirms_their_head(monkeypatch):
    started = []

    async def record(server, sockets=None):
        started.extend(sockets)

    monkeypatch.setattr(uvicorn.Server, "startup", record)
    send_answers_at_once()
    with socket.socket() as listener:  # as Streamlit makes its own
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app=object()))
        asyncio.run(server.startup(sockets=[listener]))
        assert started == [listener]
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_app_sends_answers_at_once():
    code = """
import asyncio, socket, uvicorn

async def record(server, sockets=None):
    pass

uvicorn.Server.startup = record
import frontends.streamlit_app.app

with socket.socket() as listener:
    asyncio.run(uvicorn.Server(uvicorn.Config(app=object())).startup(sockets=[listener]))
    print("at once:", listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "at once: 1"


def test_no_page_and_no_reply_names_a_folder_of_the_server(root):
    pages = ("analyze", "live", "video", "compare", "detection-lab", "landmark-lab", "about")
    folders = [str(root).encode(), str(Path.home()).encode(), tempfile.gettempdir().encode()]

    async def look(address: str) -> None:
        async with streamlit_visit(address) as visit:
            for page in pages:
                request = BackMsg()
                request.rerun_script.page_name = page
                await visit._connection.send(request.SerializeToString())
                is_finished = False
                while not is_finished:
                    data = await visit._connection.recv(decode=False)
                    message = ForwardMsg()
                    message.ParseFromString(data)
                    is_finished = message.HasField("script_finished")
                    assert not [each for each in folders if each in data], page
        async with httpx.AsyncClient(base_url=address) as client:
            for place in ("/", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics"):
                reply = await client.get(place)
                assert not [each for each in folders if each in reply.content], place

    with streamlit() as address:
        asyncio.run(look(address))
