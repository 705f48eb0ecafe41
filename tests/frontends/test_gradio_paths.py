"""No page, reply or event of the demo names a folder of the server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote, unquote

import httpx
import pytest
from gradio_client import Client, handle_file
from jinja2.utils import htmlsafe_json_dumps
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core import Emotion
from frontends.gradio_app.endpoints import ALLOWED
from frontends.gradio_app.opaque_paths import SHOWN, OpaquePaths
from tests.browser.serving import gradio
from tests.fakes import picture, png

pytestmark = [
    pytest.mark.filterwarnings(each)
    for each in ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
]
_FILE = {"_type": "gradio.FileData"}
_FOLDERS = re.compile(r"[^\s\"']*/(?:tmp|var|home|root|Users|private|work)/[^\s\"']*")
"""What a path of a server looks like; a page's own addresses have no such part."""


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("visitors' files ä")


@pytest.fixture(scope="module")
def address(uploads: Path) -> Iterator[str]:
    with gradio("tests.frontends.fake_demo", uploads) as server:
        yield server


@pytest.fixture(scope="module")
def visitor(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client


def check(text: str, uploads: Path) -> str:
    """Return ``text`` once it is sure that it names no folder of the server."""
    for path in (uploads, uploads.parent, Path.cwd(), Path.home()):
        for spelling in (str(path), json.dumps(str(path))[1:-1], quote(str(path))):
            assert spelling not in text
    assert _FOLDERS.findall(text) == []
    return text


def upload(visitor: httpx.Client, name: str, content: bytes) -> str:
    reply = visitor.post("gradio_api/upload", files={"files": (name, content)})
    (path,) = reply.json()
    return str(path)


def follow(visitor: httpx.Client, call: int, data: list[object]) -> str:
    """Return all events of a call that the page makes."""
    session = f"visit{call}"
    visitor.post(
        "gradio_api/queue/join",
        json={"data": data, "fn_index": call, "session_hash": session, "event_data": None},
    )
    lines = []
    query = {"session_hash": session}
    with visitor.stream("GET", "gradio_api/queue/data", params=query) as events:
        for line in events.iter_lines():
            lines.append(line)
            if "process_completed" in line:
                break
    return "\n".join(lines)


def test_pages_name_no_folder(visitor, uploads):
    plain = [each for each in ALLOWED if "{" not in each and not each.endswith("heartbeat")]
    plain.remove("/gradio_api/queue/data")  # waits for calls
    plain.remove("/gradio_api/upload_progress")
    for place in plain:
        check(visitor.get(place.lstrip("/")).text, uploads)
    assert SHOWN in visitor.get("config").text  # the sample


def test_reply_to_an_upload_names_no_folder_and_leads_back_to_the_file(visitor, uploads):
    content = png(picture(Emotion.HAPPY))
    path = check(upload(visitor, "party.png", content), uploads)
    assert path.startswith(f"{SHOWN}/")
    assert visitor.get(f"gradio_api/file={path}").content == content
    assert visitor.get(f"gradio_api/file={SHOWN}/../secret").status_code in {403, 404}


def test_events_of_every_call_of_the_page_name_no_folder(visitor, uploads):
    config = visitor.get("config").json()
    fields = {each["id"]: each for each in config["components"]}
    photo = upload(visitor, "party.png", png(picture(Emotion.HAPPY, Emotion.SAD)))
    sent = {"path": photo, "orig_name": "party.png", "meta": _FILE}
    shown = ""
    for call in (each for each in config["dependencies"] if each["queue"]):
        data = []
        for field in map(fields.get, call["inputs"]):
            several = field["props"].get("file_count") == "multiple"
            is_upload = field["type"] in {"file", "image"}
            given = [sent] if several else sent
            data.append(given if is_upload else field["props"].get("value"))
        shown += check(follow(visitor, call["id"], data), uploads)
    assert shown.count("process_completed") > 5
    for name in ("faces.jpg", "party.blurred.jpg", "party.emotions.csv"):
        assert re.search(rf"file={SHOWN}/\w+/{name}", shown), name


def test_refusals_name_no_folder(visitor, uploads):
    for path in (f"{SHOWN}/absent.png", str(uploads / "absent.png"), "/etc/passwd", SHOWN):
        for address in ("gradio_api/call/analyze", "gradio_api/run/analyze"):
            data = {"data": [{"path": path, "meta": _FILE}, "mobilenet_v2"]}
            check(visitor.post(address, json=data).text.replace(path, ""), uploads)
        check(visitor.get(f"gradio_api/file={path}").text.replace(path, ""), uploads)


def test_gradio_s_client_gets_its_files(address, uploads, tmp_path):
    (tmp_path / "party.png").write_bytes(png(picture(Emotion.HAPPY)))
    client = Client(address, verbose=False, download_files=str(tmp_path / "got"))
    marked, cards, document = client.predict(
        photo=handle_file(tmp_path / "party.png"), model="mobilenet_v2", api_name="/analyze"
    )
    assert Path(marked).read_bytes().startswith(b"\xff\xd8")
    check(cards + document, uploads)


FOLDER = Path("/srv/visitors' files & ä")
SPELLINGS = [
    str(FOLDER),
    json.dumps(str(FOLDER))[1:-1],
    quote(str(FOLDER)),
    escape(str(FOLDER)),
    str(htmlsafe_json_dumps(str(FOLDER)))[1:-1],
]


@pytest.fixture
def plain():
    """A server that sends the folder in every spelling, and what it received."""
    text = " ".join(f"{each}/photo.png" for each in SPELLINGS)

    async def send(request):
        how = request.path_params["how"]
        if how == "events":
            # Cut in the middle of a path.
            lines = f"data: {text}\n\ndata: {text}\n\n".encode()
            parts = [lines[start : start + 7] for start in range(0, len(lines), 7)]
            return StreamingResponse(iter(parts), media_type="text/event-stream")
        if how == "json":
            return JSONResponse([f"{FOLDER}/photo.png"] * len(SPELLINGS))
        kind = "text/html" if how == "page" else "image/png"
        return Response(text, media_type=kind)

    async def echo(request):
        await request.body()
        return Response((await request.body()) + request.url.path.encode(), media_type="image/png")

    routes = [
        Route("/send/{how}", send),
        Route("/echo/{path:path}", echo, methods=["POST"]),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(OpaquePaths, FOLDER)]))


@pytest.mark.parametrize("how", ["page", "json", "events"])
def test_every_spelling_is_hidden_in_whatever_parts_it_comes(plain, how):
    reply = plain.get(f"/send/{how}")
    assert "srv" not in reply.text
    assert reply.text.count(f"{SHOWN}/photo.png") == len(SPELLINGS) * (2 if how == "events" else 1)
    if how != "events":
        assert int(reply.headers["content-length"]) == len(reply.content)


def test_length_of_an_answer_without_body_stays(plain):
    reply = plain.head("/send/page")
    assert (reply.content, int(reply.headers["content-length"]) > 0) == (b"", True)


def test_files_of_visitors_are_passed_on_unchanged(plain):
    assert str(FOLDER) in plain.get("/send/photo").text


def test_call_names_the_file_that_the_page_was_shown(plain):
    reply = plain.post("/echo/", json={"path": f"{SHOWN}/photo.png"})
    assert json.loads(reply.content.removesuffix(b"/echo/"))["path"] == f"{FOLDER}/photo.png"
    assert unquote(plain.post(f"/echo/file={SHOWN}/a.png").text) == f"/echo/file={FOLDER}/a.png"
    assert plain.post("/echo/", content=SHOWN.encode()).text.startswith(SHOWN)  # an upload
