"""Requests that another website makes a visitor's browser send are refused."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from frontends.request_guard import HOSTS_VARIABLE, RequestGuard


async def answer(_):
    return PlainTextResponse("here")


async def connect(socket):
    await socket.accept()
    await socket.close()


def serve(address="http://127.0.0.1:8501"):
    routes = [Route("/", answer, methods=["GET", "POST"]), WebSocketRoute("/ws", connect)]
    return TestClient(
        Starlette(routes=routes, middleware=[Middleware(RequestGuard)]), base_url=address
    )


def is_connected(client, **headers):
    try:
        with client.websocket_connect("ws://127.0.0.1:8501/ws", headers=headers):
            return True
    except WebSocketDisconnect:
        return False


OWN_NAMES = ["127.0.0.1:8501", "localhost:8501", "[::1]:8501", "photos.localhost", "LOCALHOST"]


@pytest.mark.parametrize("host", OWN_NAMES)
def test_this_computer_s_own_names_are_answered(host):
    client = serve()
    assert client.get("/", headers={"host": host}).text == "here"
    origin = f"http://{host}"
    assert client.post("/", headers={"host": host, "origin": origin}).status_code == 200
    assert is_connected(client, host=host, origin=origin)


@pytest.mark.parametrize(
    "host", ["example.org", "127.0.0.1.example.org:8501", "192.0.2.1", "", "["]
)
def test_other_names_are_refused_by_a_server_for_this_computer(host):
    client = serve()
    refused = client.get("/", headers={"host": host})
    assert refused.status_code == 403
    assert HOSTS_VARIABLE in refused.text
    assert not is_connected(client, host=host)


def test_name_of_a_proxy_is_answered_if_its_owner_says_so(monkeypatch):
    monkeypatch.setenv(HOSTS_VARIABLE, "photos.example.org, other.example.org")
    assert serve().get("/", headers={"host": "Photos.example.org:443"}).text == "here"
    assert serve().get("/", headers={"host": "elsewhere.example.org"}).status_code == 403


def test_server_for_other_computers_has_any_name():
    assert serve("http://192.0.2.1").get("/", headers={"host": "example.org"}).text == "here"


@pytest.mark.parametrize(
    "origin", ["https://example.org", "null", "http://127.0.0.1:9999", "http://[::1"]
)
def test_other_website_can_send_nothing_and_open_no_connection(origin):
    client = serve()
    assert client.post("/", headers={"origin": origin}).status_code == 403
    assert not is_connected(client, origin=origin)
    # What a browser shows it anyway; scripts of other websites cannot read it.
    assert client.get("/", headers={"origin": origin}).status_code == 200


def test_page_behind_a_proxy_that_renames_it_is_answered():
    headers = {"origin": "https://example.org", "x-forwarded-host": "example.org"}
    assert serve().post("/", headers=headers).status_code == 200
    assert is_connected(serve(), **headers)


def test_programs_that_send_no_origin_are_answered():
    assert serve().post("/").status_code == 200
    assert is_connected(serve())
