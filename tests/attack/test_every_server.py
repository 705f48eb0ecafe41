"""What is done to all three servers: other websites, silent connections, floods, huge bodies."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core import Analyzer, AnalyzerConfig, WeightsError
from tests.frontends.test_gradio_paths import check
from tests.load.__main__ import FRONTS
from tests.load.photos import Album, portraits
from tests.load.servers import Server
from tests.load.visiting import visit

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
HALF_OPEN = 1100
BODY_BYTES = 200_000_000
MOST_LOG_BYTES = 1_000_000
UPLOADS = {
    "gradio": "gradio_api/upload",
    "streamlit": "_stcore/upload_file/a/b",
    "api": "api/analyze",
}
CALLS = {"gradio": "gradio_api/queue/join", "streamlit": "_stcore/stream", "api": "api/analyze"}


@pytest.fixture(scope="module", params=list(FRONTS))
def front(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(front: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    serve, _ = FRONTS[front]
    with serve(tmp_path_factory.mktemp(front), real=True) as running:
        yield running


@pytest.fixture(scope="module")
def album() -> Album:
    try:
        analyzer = Analyzer.from_config(AnalyzerConfig())
    except WeightsError as error:
        pytest.skip(f"needs the shipped weights: {error.message}")
    return Album(analyzer, portraits(4))


def answer_photos(front: str, server: Server, album: Album) -> None:
    """Let two visitors ask for two photos each, and check all answers."""
    tally = asyncio.run(visit(FRONTS[front][1], server.address, album, visitors=2, photos=2))
    assert (tally.wrong, tally.lost, len(tally.seconds)) == ([], [], 4)


def open_half(server: Server, head: bytes = b"POST / HTTP/1.1\r\nHost: localhost\r\n"):
    place = urlsplit(server.address)
    connection = socket.create_connection((place.hostname, place.port), timeout=60)
    connection.sendall(head)
    return connection


def count_descriptors(server: Server) -> int:
    return sum(1 for _ in Path(f"/proc/{server.process}/fd").iterdir())


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org", "192.0.2.1"])
def test_name_of_another_computer_is_refused(server, host):
    reply = httpx.get(server.address, headers={"Host": host})
    assert reply.status_code == 403


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://127.0.0.1:1"])
def test_form_with_a_photo_from_another_website_is_refused(front, server, album, origin):
    [photo] = album.photos_for(0, 1)
    with httpx.Client(base_url=server.address, headers={"Origin": origin}) as client:
        for method in ("POST", "PUT"):
            files = {"file": (photo.name, photo.content), "files": (photo.name, photo.content)}
            assert client.request(method, UPLOADS[front], files=files).status_code == 403
    assert server.files_with(photo.content[200:240]) == []


def test_connection_of_another_website_is_refused(front, server):
    if front != "streamlit":
        pytest.skip("the API has no websocket; the demo's is tested with an open camera")
    place = server.address.replace("http", "ws", 1).rstrip("/") + "/_stcore/stream"
    with pytest.raises(InvalidStatus, match="403"), connect(place, origin="https://example.org"):
        pass


def test_no_address_names_a_folder(front, server):
    with httpx.Client(base_url=server.address) as client:
        for place in ("", "config", "absent", "_stcore/host-config", "api/openapi.json", "%2e%2e/"):
            check(client.get(place).text, server.temporary)
        for content in (b"", b"no photo", b"\x89PNG\r\n\x1a\n"):
            files = {"file": ("/srv/photo.png", content), "files": ("/srv/photo.png", content)}
            for place in (UPLOADS[front], CALLS[front]):
                check(client.post(place, files=files).text, server.temporary)


def test_half_open_requests_keep_no_photo_waiting_and_fill_no_log(front, server, album):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * HALF_OPEN:
        pytest.skip("this system allows too few connections to try")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * HALF_OPEN), hard))
    try:
        with ExitStack() as stack:
            for _ in range(HALF_OPEN):
                stack.enter_context(open_half(server))
            time.sleep(2)  # until all are accepted, and before the silent ones have to end
            assert count_descriptors(server) < 0.75 * HALF_OPEN
            answer_photos(front, server, album)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert server.log.stat().st_size < MOST_LOG_BYTES


@pytest.mark.parametrize("chunked", [False, True])
def test_huge_body_is_refused_early_and_takes_no_memory(front, server, album, chunked):
    answer_photos(front, server, album)
    before = server.megabytes()
    sent = most = 0

    def send_parts() -> Iterator[bytes]:
        nonlocal sent, most
        part = b"[" + b" " * 999_999
        while sent < BODY_BYTES:
            sent += len(part)
            most = max(most, server.megabytes())
            yield part

    headers = {"Content-Type": "application/json"}
    if not chunked:
        headers["Content-Length"] = str(BODY_BYTES)
    place = f"{server.address.rstrip('/')}/{CALLS[front]}"
    try:
        reply = httpx.post(place, content=send_parts(), headers=headers, timeout=60)
    except httpx.TransportError:
        pass  # the server closed the connection while more was sent
    else:
        assert reply.status_code in {403, 404, 405, 413}
    assert most - before < 120
    answer_photos(front, server, album)


def test_nothing_of_all_that_is_left(server):
    assert server.connection_attempts() == []
    assert b"Traceback" not in server.log.read_bytes()
