"""What all servers do with connections that send nothing, too much or too slowly."""

from __future__ import annotations

import io
import logging
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from websockets.sync.client import connect

from frontends import connections
from frontends.connections import LimitedLog, LimitedProtocol, SlowBodyGuard

SLOWEST_S = 30
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


@contextmanager
def serving() -> Iterator[int]:
    """Serve a page that says how many bytes it was sent; yield its port."""

    async def count(request):
        return PlainTextResponse(str(len(await request.body())))

    async def echo(socket):
        await socket.accept()
        while True:
            await socket.send_text(await socket.receive_text())

    app = Starlette(
        routes=[Route("/", count, methods=["GET", "POST"]), WebSocketRoute("/echo", echo)],
        middleware=[Middleware(SlowBodyGuard)],
    )
    config = uvicorn.Config(app, port=0, http=LimitedProtocol, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join(SLOWEST_S)


def open_half(port: int, head: bytes = HEAD) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=SLOWEST_S)
    connection.sendall(head)
    return connection


def read_end(connection: socket.socket) -> bytes:
    """Return what still comes until the server closes the connection."""
    received = b""
    try:
        while part := connection.recv(4096):
            received += part
    except ConnectionError:
        pass
    return received


def test_connection_that_sends_no_whole_head_is_dropped(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_S", 0.3)
    with serving() as port:
        for head in (b"", HEAD, HEAD + b"\r\n" + HEAD):
            with open_half(port, head) as connection:
                read_end(connection)
        # The time begins anew for each request.
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(3):
                assert client.get("/").text == "0"
                time.sleep(0.2)


def test_head_has_a_limit(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_S", 1000.0)
    with serving() as port, open_half(port) as connection:
        connection.settimeout(5)
        try:
            for _ in range(200):
                connection.sendall(b"X-Long: " + b"x" * 1000 + b"\r\n")
        except ConnectionError:
            return
        assert read_end(connection) == b""


def test_many_half_open_connections_keep_no_visitor_out(monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 20)
    with serving() as port, ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(open_half(port))
        assert httpx.get(f"http://127.0.0.1:{port}").text == "0"
        assert len(LimitedProtocol._waiting) <= 20


def test_connections_at_work_are_kept_and_new_ones_refused(monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 3)
    with serving() as port, ExitStack() as stack:
        busy = [stack.enter_context(connect(f"ws://127.0.0.1:{port}/echo")) for _ in range(3)]
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}")
        for each in busy:
            each.send("still there")
            assert each.recv(SLOWEST_S) == "still there"


def test_websocket_outlasts_the_time_for_a_head(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_S", 0.2)
    with serving() as port, connect(f"ws://127.0.0.1:{port}/echo") as page:
        time.sleep(0.6)
        page.send("still there")
        assert page.recv(SLOWEST_S) == "still there"


def test_body_that_pauses_is_refused(monkeypatch):
    monkeypatch.setattr(connections, "BODY_PAUSE_S", 0.3)
    with serving() as port:
        with open_half(port, HEAD + b"Content-Length: 100\r\n\r\n12345") as connection:
            assert read_end(connection).startswith(b"HTTP/1.1 408")
        assert httpx.post(f"http://127.0.0.1:{port}", content=b"12345").text == "5"


def test_slow_body_that_goes_on_is_taken(monkeypatch):
    monkeypatch.setattr(connections, "BODY_PAUSE_S", 2.0)

    def parts():
        for _ in range(6):
            time.sleep(0.5)
            yield b"12345"

    with serving() as port:
        assert httpx.post(f"http://127.0.0.1:{port}", content=parts()).text == "30"


def test_log_has_a_limit_for_each_minute_and_says_what_is_left_out(monkeypatch):
    now = 0.0
    monkeypatch.setattr(connections.time, "monotonic", lambda: now)
    shown = io.StringIO()
    log = LimitedLog(shown)
    for _ in range(10_000):
        log.write("a line of a traceback\n")
    assert len(shown.getvalue()) < connections.LOG_BYTES_PER_MINUTE + 100
    now = 61.0
    log.write("the next minute\n")
    assert shown.getvalue().endswith("more characters were left out here.)\nthe next minute\n")
    assert log.getvalue() == shown.getvalue()  # whatever else a stream can do


STARTS = {
    "app": "import frontends.streamlit_app.app",
    "demo": """
from types import SimpleNamespace
from frontends.gradio_app import serve
def launch(**settings):
    names = [each.cls.__name__ for each in settings["app_kwargs"]["middleware"]]
    assert {"SlowBodyGuard", "FailureGuard"} <= set(names)
    return SimpleNamespace(router=SimpleNamespace(routes=[])), "", ""
page = SimpleNamespace(launch=launch, analyzers=None, state_session_capacity=1, fns={})
serve.launch(page)
""",
    "API": """
import sys, uvicorn
from frontends.api import serve
sys.argv = ["serve"]
uvicorn.run = lambda app, **_: None
serve.build_server = lambda _: None
serve.serve()
""",
}


@pytest.mark.parametrize("name", STARTS)
def test_every_server_has_these_limits(name, root):
    code = f"""
import asyncio, logging, resource, sys, uvicorn
config = uvicorn.Config(lambda: None, lifespan="off")
config.load()  # before the limits are set, as by `streamlit run`
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
logging.basicConfig()
{STARTS[name]}
server = uvicorn.Server(config)
server.lifespan = config.lifespan_class(config)
asyncio.run(server.startup(sockets=[]))
print(config.http_protocol_class.__name__, type(sys.stderr).__name__)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
print(logging.root.handlers[0].stream is sys.stderr)
print(logging.getLogRecordFactory().__module__)
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    assert run.stdout.split() == [
        "LimitedProtocol",
        "LimitedLog",
        str(most),
        "True",
        "frontends.failures",
    ]


def test_limits_are_set_once(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(uvicorn.Server, "startup", uvicorn.Server.startup)
    monkeypatch.setattr(connections, "_raise_file_limit", lambda: None)
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("frontends.test_connections")
    logger.addHandler(handler)
    try:
        for _ in range(2):
            connections.limit_server()
        assert isinstance(sys.stderr, LimitedLog)
        assert sys.stderr._stream is stream
        assert handler.stream is sys.stderr
    finally:
        logger.removeHandler(handler)
