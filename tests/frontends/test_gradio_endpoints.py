"""Which addresses the demo answers, and when it deletes what visitors sent."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time

import gradio as gr
import pytest
from gradio.data_classes import FileData
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from frontends.film_files import film_route
from frontends.gradio_app import endpoints, photo_upload
from frontends.gradio_app.endpoints import ALLOWED, REFUSED, EndpointFilter
from frontends.gradio_app.photo_upload import PhotoUpload
from frontends.gradio_app.upload_sweep import UploadSweep
from frontends.live_socket import camera_routes

# In a process of its own, because Gradio warns in ways that the tests count as errors.
PROGRAM = """
import gradio as gr
from gradio.routes import App

def list_addresses(router):
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            print(route.path.rstrip("/") or "/")
        else:
            list_addresses(inner)

with gr.Blocks() as page:
    gr.Markdown("")
list_addresses(App.create_app(page).router)
"""


def test_every_address_of_the_framework_was_decided_on(root):
    """A new version's new address must be looked at before the demo answers it."""
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    ours = {route.path for route in (*camera_routes(), film_route())} | {"/api/{path:path}"}
    assert set(found.stdout.split()) | ours == set(ALLOWED) | set(REFUSED)
    assert not set(ALLOWED) & set(REFUSED)


@pytest.fixture
def client():
    async def read(request):
        try:
            return PlainTextResponse(f"{len(await request.body())}")
        except Exception:  # noqa: BLE001 - as FastAPI does
            return PlainTextResponse("no JSON", 400)

    routes = [Route("/{path:path}", read, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(EndpointFilter, {0, 1})]))


@pytest.mark.parametrize(
    "address",
    [
        "/gradio_api/process_recording",
        "/gradio_api/deep_link",
        "/gradio_api/run-history/records",
        "/gradio_api/vibe-edit/",
        "/gradio_api/call/analyze/1/2",
        "/gradio_api/anything",
        f"/assets/{'a' * 5000}",
        "/monitoring",
        "/openapi.json",
    ],
)
def test_other_addresses_are_not_answered(client, address):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "address",
    ["/", "/config/", "/gradio_api/file=/a/b", "/gradio_api/call/x", "/film/k/marked.mp4"],
)
def test_addresses_that_the_page_needs_are_answered(client, address):
    assert client.get(address).text == "0"


def test_request_has_a_limit_also_if_it_does_not_state_its_size(client, monkeypatch):
    monkeypatch.setattr(endpoints, "_MAX_CALL_BYTES", 1000)
    call = "/gradio_api/queue/join"
    client.headers["Content-Type"] = "application/json"
    assert client.post(call, content=b"{}" + b" " * 998).text == "1000"
    assert client.post(call, content=b"{}" + b" " * 999).status_code == 413
    assert client.post(call, content=(b"{}" + b" " * 98 for _ in range(11))).status_code == 413
    assert client.post("/gradio_api/upload", content=b"x" * 1001).text == "1001"


@pytest.mark.parametrize("kind", [None, "text/plain", "multipart/form-data; boundary=x"])
def test_call_without_json_is_refused(client, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    for address in ("queue/join", "call/analyze", "run/analyze/", "cancel", "api/upload"):
        reply = client.post(f"/gradio_api/{address}", content=b"\x89PNG", headers=headers)
        assert reply.status_code == 415
        assert "application/json" in reply.text
    for address in ("/gradio_api/upload", "/gradio_api/upload/", "/api/analyze"):
        assert client.post(address, content=b"\x89PNG", headers=headers).text == "4"
    json = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/gradio_api/queue/join", content=b"{}", headers=json).text == "2"


@pytest.mark.parametrize(
    "body",
    [
        *(
            "",
            "{",
            "3",
            "null",
            "[]",
            "[" * 100_000,
            '{"data": ' + "[" * 100_000 + "]" * 100_000 + "}",
        ),
        *('{"data": [NaN]}', '{"data": [-Infinity]}', '{"data": ["\\ud800"]}', "\xff"),
        *(f'{{"fn_index": {each}}}' for each in ("-1", "2", "9999", '"a"', "[]", "1" + "0" * 5000)),
    ],
    ids=lambda body: body[:20],
)
def test_call_that_makes_no_sense_does_not_reach_the_framework(client, body):
    json = {"Content-Type": "application/json"}
    reply = client.post("/gradio_api/queue/join", content=body.encode("latin-1"), headers=json)
    assert reply.status_code == 400
    assert reply.text == "This page has no such call.\n"


@pytest.mark.parametrize("body", ['{"fn_index": 1}', '{"fn_index": null}', '{"data": ["ä", 1.5]}'])
def test_call_that_makes_sense_reaches_the_framework(client, body):
    json = {"Content-Type": "application/json"}
    reply = client.post("/gradio_api/queue/join", content=body.encode(), headers=json)
    assert reply.text == str(len(body.encode()))


def test_sweep_deletes_everything_old_though_one_entry_cannot_be_deleted(tmp_path, monkeypatch):
    kept = tmp_path / "sample.jpg"
    kept.touch()
    sweep = UploadSweep(tmp_path, keep_s=3600)
    folder = tmp_path / "upload" / "photo.jpg"
    folder.mkdir(parents=True)
    stuck, cut_off = folder / "stuck", tmp_path / "cut off"
    for file in (stuck, cut_off):
        file.touch()
        os.utime(file, (2e9, 2e9))  # a file may bring its own time
    sweep.sweep()
    assert cut_off.exists()
    monkeypatch.setattr(sweep, "_older_than_s", -1.0)
    unlink = type(stuck).unlink

    def unlink_others(path):
        if path == stuck:
            raise PermissionError
        unlink(path)

    monkeypatch.setattr(type(stuck), "unlink", unlink_others)
    sweep.sweep()
    assert stuck.exists()
    assert not cut_off.exists()
    monkeypatch.undo()
    monkeypatch.setattr(sweep, "_older_than_s", -1.0)
    for _ in range(2):  # a folder changes when its content goes
        sweep.sweep()
    assert list(tmp_path.iterdir()) == [kept]
    sweep.end()


def test_sweep_runs_by_itself(tmp_path):
    sweep = UploadSweep(tmp_path, keep_s=0.2)
    (tmp_path / "photo.jpg").touch()
    end = time.monotonic() + 10
    while list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    assert not list(tmp_path.iterdir())
    sweep.end()


def test_folder_in_place_of_a_photo_is_refused_before_the_framework_sees_it(tmp_path):
    field = PhotoUpload()
    with pytest.raises(gr.Error, match="was not uploaded"):
        asyncio.run(field.async_move_resource_to_block_cache(str(tmp_path)))


def test_name_that_is_too_long_for_a_file_is_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    name = tmp_path / ("a" * 5000)
    photo_upload._check_named_file(name, "photo")
    payload = FileData(path=str(name))
    with pytest.raises(gr.Error, match="is gone"):
        photo_upload._find_upload(payload, str(tmp_path), "photo")
