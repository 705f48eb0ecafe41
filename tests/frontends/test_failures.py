"""A call that fails is a line in the log, with nothing that a visitor sent."""

from __future__ import annotations

import asyncio

import pytest
from gradio import queueing, routes
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.testclient import TestClient

from frontends import failures
from frontends.failures import FailureGuard


def fail(_request):
    raise ValueError("/home/visitor/photo.png")


@pytest.fixture
def client():
    guarded = Starlette(routes=[Route("/fails", fail)], middleware=[Middleware(FailureGuard)])
    return TestClient(guarded)


def test_failed_request_is_answered_and_leaves_one_line(client, capfd):
    reply = client.get("/fails")
    assert (reply.status_code, reply.text) == (500, "This request could not be answered.\n")
    out, err = capfd.readouterr()
    [line] = err.splitlines()
    assert out == ""
    assert line.startswith("A request failed: ValueError at frontends/test_failures.py:")
    assert "photo" not in line


def test_traceback_is_there_for_those_who_look_for_a_fault(client, capfd, monkeypatch):
    monkeypatch.setenv("EMOTION_TRACEBACKS", "1")
    client.get("/fails")
    error = capfd.readouterr().err
    assert "Traceback" in error
    assert "photo.png" in error


def request(app):
    """Send a request to ``app`` through the guard and return the messages of the answer."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.disconnect"}

    asyncio.run(FailureGuard(app)({"type": "http", "path": "/"}, receive, send))
    return sent


def test_visitor_who_left_is_no_failure(capfd):
    async def leave(_scope, _receive, _send):
        raise ClientDisconnect

    assert request(leave) == []
    assert capfd.readouterr().err == ""


def test_answer_that_has_begun_is_not_answered_again(capfd):
    async def fail_later(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError

    assert len(request(fail_later)) == 1
    assert "ValueError" in capfd.readouterr().err


@pytest.mark.parametrize("module", [queueing, routes])
def test_framework_writes_the_same_line(module, monkeypatch, capfd):
    for each in (queueing, routes):
        monkeypatch.setattr(each, "traceback", each.traceback)
    failures.shorten_tracebacks(queueing, routes)
    try:
        raise KeyError("/home/visitor/photo.png")
    except KeyError:
        module.traceback.print_exc()
    line = capfd.readouterr().err
    assert line.startswith("A request failed: KeyError at ")
    assert "photo" not in line
    assert "KeyError" in module.traceback.format_exception_only(KeyError())[0]


def test_every_server_is_guarded():
    from frontends.api import serve
    from frontends.streamlit_app.app import app

    class NoAnalyzers:
        def start_loading(self, _config):
            pass

    for stack in (app._user_middleware, serve.build_server(NoAnalyzers()).user_middleware):
        assert FailureGuard in [each.cls for each in stack]
