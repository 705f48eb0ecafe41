"""The HTTP API gives the same documents as the other fronts, and refuses everything else safely."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
import tempfile
import warnings
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from starlette.testclient import TestClient

from core import (
    MAX_FILE_BYTES,
    Analyzer,
    AnalyzerConfig,
    Emotion,
    read_image,
    to_json,
)
from frontends.admission import Admission
from frontends.analyzers import Analyzers
from frontends.api import openapi, routes, uploads
from frontends.api.exposure import warn_if_reachable
from frontends.api.problems import MEDIA_TYPE
from frontends.api.serve import build_server
from tests.fakes import FakeAnalyzer, picture, png

PHOTO = png(picture(Emotion.HAPPY, unsure=[Emotion.FEAR]))
ANALYZE, BATCH = "/api/analyze", "/api/batch"


@pytest.fixture
def client():
    return TestClient(build_server(Analyzers(FakeAnalyzer())))


def right_document(content, name, **options):
    return to_json(FakeAnalyzer().analyze(read_image(content, name=name), **options)).encode()


@pytest.mark.parametrize("name", ["a photo.png", "<b>\u202egnp.png", "x\ny.png"])
def test_answer_is_the_same_document_as_everywhere(client, name):
    expected = right_document(PHOTO, name)
    as_body = client.post(ANALYZE, params={"name": name}, content=PHOTO)
    in_form = client.post(ANALYZE, params={"name": name}, files={"photo": ("other.png", PHOTO)})
    assert as_body.content == in_form.content == expected
    assert as_body.headers["content-type"] == "application/json"


def test_photo_is_called_by_its_file_name_without_folders(client):
    sent = {"file": ("C:\\secret\\folder/me.png", PHOTO)}
    assert client.post(ANALYZE, files=sent).content == right_document(PHOTO, "me.png")
    assert client.post(ANALYZE, content=PHOTO).json()["name"] == "image"


def test_every_setting_of_the_command_reaches_the_analyzer(monkeypatch):
    configs = []

    def from_config(config):
        configs.append(config)
        return FakeAnalyzer(config)

    monkeypatch.setattr(Analyzer, "from_config", from_config)
    chosen = {
        "model": "ensemble",
        "detector": "mtcnn",
        "reading": "fer2013",
        "preset": "thorough",
        "operating_point": "recall",
        "detection_threshold": 0.25,
        "certain_from": 0.75,
    }
    client = TestClient(build_server(Analyzers()))
    reply = client.post(ANALYZE, params={**chosen, "turn": "90"}, content=PHOTO)
    assert reply.json()["turned"] == 90
    config = AnalyzerConfig(**chosen)
    assert dataclasses.replace(configs[-1], reading=config.reading, certain_from=0.75) == config
    digest = FakeAnalyzer(config).provenance.config_digest
    assert reply.json()["provenance"]["config_digest"] == digest
    left_out = {"device", "engine", "threads", "landmarks", "weights_dir"}
    fields = {field.name for field in dataclasses.fields(AnalyzerConfig)}
    assert set(routes.Settings.model_fields) == {*fields - left_out, "turn"}


WRONG = [
    ({"content": b"no photo"}, 422, "unreadable-image"),
    ({"content": b""}, 400, "bad-request"),
    ({"content": PHOTO[:300]}, 422, "unreadable-image"),
    ({"content": PHOTO, "params": {"model": "vgg"}}, 422, "wrong-value"),
    ({"content": PHOTO, "params": {"modle": "resnet50"}}, 422, "wrong-value"),
    ({"content": PHOTO, "params": {"certain_from": "nan"}}, 422, "wrong-value"),
    ({"files": [("a", PHOTO), ("b", PHOTO)]}, 400, "bad-request"),
    ({"data": {"file": "text"}, "files": {}}, 422, "unreadable-image"),
    ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "bad-request"),
    (
        {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=y"}},
        400,
        "bad-request",
    ),
]


@pytest.mark.parametrize(("request_parts", "status", "kind"), WRONG)
def test_what_cannot_be_answered_gets_a_problem_document(client, request_parts, status, kind):
    reply = client.post(ANALYZE, **request_parts)
    problem = reply.json()
    assert (reply.status_code, reply.headers["content-type"]) == (status, MEDIA_TYPE)
    assert (problem["type"], problem["status"]) == (f"urn:photo-emotion:{kind}", status)
    assert not {"/", "\\"} & set(problem["title"])


def test_unknown_address_and_method_get_one_too(client):
    for reply, status in ((client.get("/api/no"), 404), (client.get(ANALYZE), 405)):
        assert (reply.status_code, reply.headers["content-type"]) == (status, MEDIA_TYPE)


def test_bug_shows_no_detail(monkeypatch):
    class Broken(FakeAnalyzer):
        def analyze(self, image, **_):
            raise KeyError("/secret/path")

    server = build_server(Analyzers(Broken()))
    reply = TestClient(server, raise_server_exceptions=False).post(ANALYZE, content=PHOTO)
    assert (reply.status_code, reply.headers["content-type"]) == (500, MEDIA_TYPE)
    assert "secret" not in reply.text


def test_batch_answers_in_order_and_names_what_cannot_be_read(client):
    sent = [("f", ("a.png", PHOTO)), ("f", ("b.txt", b"no photo")), ("f", ("c.png", PHOTO))]
    first, second, third = client.post(BATCH, files=sent).json()
    assert first == json.loads(right_document(PHOTO, "a.png"))
    assert (second["name"], second["status"]) == ("b.txt", 422)
    assert third["name"] == "c.png"
    too_many = [("f", (f"{i}.png", b"x")) for i in range(uploads.MAX_BATCH_FILES + 1)]
    assert client.post(BATCH, files=too_many).status_code == 400


def send_chunks(server, chunks, **headers):
    """Return status and answer of a photo sent in ``chunks``, and how many of them were read."""
    sent, read = [], 0
    names = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]

    async def receive():
        nonlocal read
        await asyncio.sleep(0)
        chunk = next(chunks, None)
        if chunk is None:
            return {"type": "http.disconnect"}
        read += 1
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": ANALYZE,
        "query_string": b"",
        "headers": names,
    }
    asyncio.run(server(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"]), read


def endless():
    while True:
        yield bytes(1024**2)


@pytest.mark.parametrize("content_type", ["image/png", "multipart/form-data; boundary=y"])
def test_upload_that_never_ends_is_refused_at_the_limit(content_type, monkeypatch):
    server = build_server(Analyzers(FakeAnalyzer()))
    head = b'--y\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    chunks = iter([head, *[bytes(1024**2)] * 200])
    status, _, read = send_chunks(server, chunks, content_type=content_type)
    assert status == 413
    assert read <= MAX_FILE_BYTES // 1024**2 + 2
    declared = send_chunks(server, endless(), content_length=str(10**12))
    assert (declared[0], declared[2]) == (413, 0)
    assert uploads._HELD.bytes == 0


def test_many_slow_uploads_cannot_fill_the_memory(monkeypatch):
    monkeypatch.setattr(uploads, "_MAX_HELD_BYTES", 5 * 1024**2)
    status, problem, read = send_chunks(build_server(Analyzers(FakeAnalyzer())), endless())
    assert (status, read) == (503, 6)
    assert problem["type"].endswith(":busy")
    assert uploads._HELD.bytes == 0


def test_upload_that_is_cut_off_or_too_slow_ends(monkeypatch):
    server = build_server(Analyzers(FakeAnalyzer()))
    assert send_chunks(server, iter([PHOTO[:100]]))[0] == 400
    monkeypatch.setattr(uploads, "_SLOWEST_S", 0)
    assert send_chunks(server, endless())[0] == 408


def test_no_upload_is_written_to_disk(client, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("written to disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    large = PHOTO + bytes(3 * 1024**2)
    assert client.post(ANALYZE, files={"f": ("a.png", large)}).status_code == 200


def test_full_queue_says_when_to_come_back(client, monkeypatch):
    full = Admission(at_once=1, waiting=0)
    monkeypatch.setattr(routes, "ADMISSION", full)
    with full.admit():
        reply = client.post(ANALYZE, content=PHOTO)
    assert reply.status_code == 503
    assert int(reply.headers["retry-after"]) > 0
    assert reply.json()["title"] == "Too many photos are waiting."
    assert client.post(ANALYZE, content=PHOTO).status_code == 200


def test_token_is_required_for_answers_alone(monkeypatch):
    monkeypatch.setenv(routes.TOKEN_VARIABLE, "sesam öffne")
    client = TestClient(build_server(Analyzers(FakeAnalyzer())))
    right = "Bearer sesam öffne".encode()
    for sent in (None, b"Bearer sesam", b"Basic " + right[7:], right + b"!", b"Bearer"):
        headers = {} if sent is None else {"Authorization": sent}
        for address in (ANALYZE, BATCH):
            reply = client.post(address, content=PHOTO, headers=headers)
            assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert client.post(ANALYZE, content=PHOTO, headers={"Authorization": right}).is_success
    assert client.get("/api/health").json()["status"] == "ok"


def test_other_pages_may_read_answers_only_if_they_are_named(client, monkeypatch):
    headers = {"Origin": "https://example.org"}
    allowed = "access-control-allow-origin"
    assert allowed not in client.post(ANALYZE, content=PHOTO, headers=headers).headers
    monkeypatch.setenv("EMOTION_API_ORIGINS", "https://example.org, https://example.net")
    opened = TestClient(build_server(Analyzers(FakeAnalyzer())))
    assert (
        opened.post(ANALYZE, content=PHOTO, headers=headers).headers[allowed] == headers["Origin"]
    )
    other = opened.post(ANALYZE, content=PHOTO, headers={"Origin": "https://evil.example"})
    assert allowed not in other.headers


@pytest.mark.parametrize(
    ("host", "warned"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("x", True)],
)
def test_server_that_others_can_reach_says_so(host, warned, capsys, monkeypatch):
    monkeypatch.delenv(routes.TOKEN_VARIABLE, raising=False)
    warn_if_reachable(host)
    assert (routes.TOKEN_VARIABLE in capsys.readouterr().err) == warned


def test_server_loads_neither_page(root):
    code = (
        "import sys, frontends.api.serve; print({'gradio', 'streamlit', 'torch'} & {*sys.modules})"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "set()"


def list_fields(value, place=""):
    """Return the places of all values in a document, those of the first face for all faces."""
    if isinstance(value, dict):
        return {name for key in value for name in list_fields(value[key], f"{place}.{key}")}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return list_fields(value[0], place)
    return {place}


def test_example_in_the_openapi_document_has_every_field_of_an_answer(client):
    answer = client.post(ANALYZE, content=PHOTO).json()
    for document in (answer, example := deepcopy(openapi.EXAMPLE)):
        document["provenance"]["weights_sha256"] = {}  # a fake model has no weights
    assert list_fields(example) == list_fields(answer)
    assert example["schema_version"] == answer["schema_version"]


@pytest.fixture(scope="module")
def operations():
    """Return what the OpenAPI document describes, by address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schemathesis = pytest.importorskip("schemathesis", reason="needs requirements-dev.txt")
    server = build_server(Analyzers(FakeAnalyzer()))
    # Hypothesis must not see modules appear that an answer imports first.
    assert TestClient(server).post(ANALYZE, content=PHOTO).is_success
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", server)
    return {each.ok().path: each.ok() for each in schema.get_all_operations()}


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/analyze", "positive"),
        ("/analyze", "negative"),
        ("/batch", "positive"),
        ("/batch", "negative"),
        ("/health", "positive"),
    ],
)
def test_api_keeps_what_its_openapi_document_promises(operations, path, mode):
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS

    # What fits the document may still be no photo.
    excluded = CHECKS.get_by_names(["positive_data_acceptance"])

    @settings(
        max_examples=10, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck]
    )
    @given(operations[path].as_strategy(generation_mode=GenerationMode(mode)))
    def check(case):
        case.call_and_validate(excluded_checks=excluded)

    check()
