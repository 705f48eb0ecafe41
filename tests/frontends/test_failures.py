"""A call that fails is a line in the log, with nothing that a visitor sent."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys

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


@pytest.fixture
def _shortened(monkeypatch):
    for each in (queueing, routes):
        monkeypatch.setattr(each, "traceback", each.traceback)
    make_record = logging.getLogRecordFactory()
    failures.shorten_tracebacks(queueing, routes)
    yield
    logging.setLogRecordFactory(make_record)


@pytest.mark.usefixtures("_shortened")
@pytest.mark.parametrize("module", [queueing, routes])
def test_framework_writes_the_same_line(module, capfd):
    try:
        raise KeyError("/home/visitor/photo.png")
    except KeyError:
        module.traceback.print_exc()
    line = capfd.readouterr().err
    assert line.startswith("A request failed: KeyError at ")
    assert "photo" not in line
    assert "KeyError" in module.traceback.format_exception_only(KeyError())[0]


@pytest.mark.usefixtures("_shortened")
def test_error_that_is_logged_is_one_line_too(caplog, monkeypatch):
    log = logging.getLogger("framework")
    for wanted in ("0", "1"):
        monkeypatch.setenv("EMOTION_TRACEBACKS", wanted)
        try:
            raise KeyError("/home/visitor/photo.png")
        except KeyError:
            log.exception("Uncaught %s", "error")
    log.error("no exception")
    short, whole, plain = caplog.records
    assert short.getMessage().startswith("Uncaught error: KeyError at frontends/test_failures.py:")
    assert short.exc_info is None
    assert whole.exc_info is not None
    assert plain.getMessage() == "no exception"


PROGRAM = """
import logging
from frontends.api import serve
from frontends.streamlit_app.app import app

class NoAnalyzers:
    def start_loading(self, _config):
        pass

print(logging.getLogRecordFactory().__module__)
for stack in (app._user_middleware, serve.build_server(NoAnalyzers()).user_middleware):
    print(*(each.cls.__name__ for each in stack))
"""


def test_every_server_is_guarded(root):
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    factory, *stacks = done.stdout.splitlines()
    assert factory == "frontends.failures"
    assert len(stacks) == 2
    assert all("FailureGuard" in each.split() for each in stacks)
