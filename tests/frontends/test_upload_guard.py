"""What visitors of the app may upload: bounded before it is taken in, and in memory only."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.proto.BackMsg_pb2 import BackMsg

from frontends.streamlit_app import upload_guard
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.upload_guard import UploadGuard
from frontends.streamlit_app.workspace import Workspace
from tests.browser.serving import streamlit
from tests.load import streamlit_visits

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
SLOWEST_S = 30


class Uploads:
    """Stands for Streamlit's own: takes what the guard lets through."""

    def __init__(self) -> None:
        self.file_storage: dict[str, dict[str, SimpleNamespace]] = {}
        self.read = 0

    async def take(self, request):
        parts = []
        async for part in request.stream():
            self.read += len(part)
            parts.append(part)
        visit, file = request.path_params["visit"], request.path_params["file"]
        held = SimpleNamespace(data=b"".join(parts))
        self.file_storage.setdefault(visit, {})[file] = held
        return Response(status_code=204)


@pytest.fixture
def uploads(monkeypatch):
    for name, size in (("MAX_FILE", 1000), ("MAX_VISIT", 1500), ("MAX_SERVER", 4000)):
        monkeypatch.setattr(upload_guard, name, size)
    taken = Uploads()
    server = SimpleNamespace(
        exists=lambda: True, get_instance=lambda: SimpleNamespace(uploaded_file_mgr=taken)
    )
    monkeypatch.setattr(upload_guard, "runtime", server)
    monkeypatch.setattr(upload_guard, "list_held_photos", list)
    return taken


@pytest.fixture
def client(uploads):
    route = Route("/_stcore/upload_file/{visit}/{file}", uploads.take, methods=["PUT"])
    return TestClient(Starlette(routes=[route], middleware=[Middleware(UploadGuard)]))


def put(client, visit, size, *, file="", chunked=False):
    content = (bytes(100) for _ in range(size // 100)) if chunked else bytes(size)
    return client.put(f"/_stcore/upload_file/{visit}/{file or uuid.uuid4()}", content=content)


@pytest.mark.parametrize("chunked", [False, True])
def test_file_over_the_limit_is_refused_before_it_is_taken_in(client, uploads, chunked):
    reply = put(client, "a", 5000, chunked=chunked)
    assert (reply.status_code, reply.text) == (413, "A file may have 300 MB.\n")
    assert uploads.read <= 1000
    assert put(client, "a", 1000, chunked=chunked).status_code == 204


@pytest.mark.parametrize("chunked", [False, True])
def test_one_visit_holds_no_more_than_its_share(client, uploads, chunked):
    assert put(client, "a", 900, file="first", chunked=chunked).status_code == 204
    reply = put(client, "a", 900, chunked=chunked)
    assert reply.status_code == 413
    assert "too many files" in reply.text
    assert uploads.read <= 1500
    assert put(client, "b", 900, chunked=chunked).status_code == 204
    del uploads.file_storage["a"]["first"]
    assert put(client, "a", 900, chunked=chunked).status_code == 204


@pytest.mark.parametrize("chunked", [False, True])
def test_all_visits_hold_no_more_than_the_server_has(client, uploads, chunked):
    for visit in "abcd":
        assert put(client, visit, 900, chunked=chunked).status_code == 204
    reply = put(client, "e", 900, chunked=chunked)
    assert "too many visitors" in reply.text.lower()
    assert uploads.read <= 4000


def test_photos_that_the_pages_keep_count_once(client, uploads, monkeypatch):
    for visit in "abc":
        put(client, visit, 1000)
    held = [file.data for files in uploads.file_storage.values() for file in files.values()]
    monkeypatch.setattr(upload_guard, "list_held_photos", lambda: held)
    assert put(client, "d", 900).status_code == 204
    monkeypatch.setattr(upload_guard, "list_held_photos", lambda: [*held, bytes(900)])
    assert put(client, "d", 50).status_code == 413
    monkeypatch.setattr(upload_guard, "list_held_photos", list)
    assert put(client, "d", 50).status_code == 204


def test_length_that_is_stated_is_refused_before_anything_is_received(uploads):
    async def receive():
        raise AssertionError("the body was asked for")

    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/_stcore/upload_file/a/1",
        "headers": [(b"content-length", b"5000")],
    }

    async def app(_scope, receive, _send):
        await receive()

    asyncio.run(UploadGuard(app)(scope, receive, send))
    assert sent[0]["status"] == 413


def test_workspaces_are_counted_while_their_visit_lasts():
    before = len(upload_guard.list_held_photos())
    visit = Workspace()
    visit.uploads = (Photo.of("a.png", b"a photo"),)
    assert len(upload_guard.list_held_photos()) == before + 1
    del visit
    assert len(upload_guard.list_held_photos()) == before


def test_unfinished_uploads_count_and_are_forgotten_when_they_end(uploads):
    guard, arrived, go_on = UploadGuard(uploads.take), asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        await receive()
        arrived.set()
        await go_on.wait()

    guard = UploadGuard(app)
    scope = {"type": "http", "method": "PUT", "path": "/_stcore/upload_file/a/1", "headers": []}
    sent = []

    async def receive():
        return {"type": "http.request", "body": bytes(800), "more_body": True}

    async def send(message):
        sent.append(message)

    async def upload_twice():
        first = asyncio.create_task(guard(scope, receive, send))
        await arrived.wait()
        await guard(scope, receive, send)
        assert sent[0]["status"] == 413
        go_on.set()
        await first
        assert not guard._arriving

    asyncio.run(upload_twice())


async def ask_for_address(visit) -> str:
    request = BackMsg()
    request.file_urls_request.request_id = str(uuid.uuid4())
    request.file_urls_request.file_names.append("photo.png")
    request.file_urls_request.session_id = visit._session
    await visit._connection.send(request.SerializeToString())
    while not (message := await visit._next()).HasField("file_urls_response"):
        pass
    return str(message.file_urls_response.file_urls[0].upload_url)


def list_open_files(folder: Path) -> list[str]:
    """Return the files below ``folder`` that any process has open, also unnamed ones."""
    opened = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # closed meanwhile, or another user's
            opened.append(str(link.readlink()))
    return [each for each in opened if each.startswith(str(folder))]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists unnamed files")
def test_slow_and_large_uploads_lie_in_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    async def look(address: str) -> None:
        async with streamlit_visits.streamlit_visit(address) as visit:
            token = visit._client.cookies[streamlit_visits._XSRF]
            path = await ask_for_address(visit)
            await asyncio.to_thread(send_half, address, path, token)
            # More than the field for photos takes: a film.
            reply = await visit._client.put(
                await ask_for_address(visit),
                files={"file": ("film.mp4", bytes(60 * 1024**2))},
                headers={"X-Xsrftoken": token},
            )
            assert reply.status_code == 204

    def send_half(address: str, path: str, token: str) -> None:
        port = urlsplit(address).port
        begin = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        head = (
            f"PUT {path} HTTP/1.1\r\nHost: localhost:{port}\r\nX-Xsrftoken: {token}\r\n"
            f"Cookie: {streamlit_visits._XSRF}={token}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n"
        )
        with socket.create_connection(("localhost", port)) as connection:
            connection.sendall(head.encode() + begin + bytes(5_000_000))
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                assert list_open_files(tmp_path) == []
                threading.Event().wait(0.1)

    with streamlit() as address:
        asyncio.run(look(address))
