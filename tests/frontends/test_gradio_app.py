"""The Gradio demo: its functions, its API over loopback, and what it must never reveal."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE
from types import SimpleNamespace

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from core import (
    MAX_FILE_BYTES,
    Analyzer,
    AnalyzerConfig,
    Emotion,
    OperatingPoint,
    Preset,
    Reading,
    WeightsMissing,
    read_image,
    to_json,
)
from frontends.analyzers import Analyzers
from frontends.gradio_app import about_tab, serve
from frontends.gradio_app.answering import make_api_handler, make_page_handler
from frontends.gradio_app.demo import build_demo
from frontends.gradio_app.photo_upload import PhotoUpload, UploadedPhoto
from frontends.wording import last_part
from tests.browser.serving import gradio
from tests.fakes import FakeAnalyzer, picture, png, untrained

# Gradio leaves event loops behind for every page that it makes.
_LEFT_BEHIND = ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
pytestmark = [pytest.mark.filterwarnings(each) for each in _LEFT_BEHIND]

HAPPY = png(picture(Emotion.HAPPY))


@pytest.fixture
def photo(tmp_path: Path) -> UploadedPhoto:
    """An upload as Gradio passes it on: under Gradio's own name."""
    path = tmp_path / "blob"
    path.write_bytes(png(picture(Emotion.HAPPY, Emotion.SAD)))
    return UploadedPhoto(path, "party at night.png")


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the served demo keeps uploads."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def address(uploads: Path) -> Iterator[str]:
    """The address of a demo whose model answers at once."""
    with gradio("tests.frontends.fake_demo", uploads) as server:
        yield server


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    """A client of this demo."""
    return Client(address, verbose=False)


def send(address: str, payload: object) -> str:
    """Return everything the server replies to a hand-made call of the API."""
    settings = ["mobilenet_v2", "balanced", "automatic", "balanced", "recommended", "people"]
    data = {"data": [payload, *settings, "automatic"]}
    call = httpx.post(f"{address}gradio_api/call/analyze", json=data, timeout=60)
    if call.status_code != 200:
        return call.text
    event = call.json()["event_id"]
    return httpx.get(f"{address}gradio_api/call/analyze/{event}", timeout=60).text


def test_answer_is_picture_cards_and_the_library_s_document(photo):
    analyzer = FakeAnalyzer()
    annotated, cards, result = make_api_handler(Analyzers(analyzer))(
        photo, "mobilenet_v2", "balanced"
    )
    assert annotated.shape == (360, 480, 3)
    assert cards.count("<article") == 2
    image = read_image(photo.path.read_bytes(), name="party at night.png")
    assert result == to_json(analyzer.analyze(image))


def test_empty_field_clears_the_page():
    picture_shown, cards, result, folded, *files = make_page_handler(Analyzers(FakeAnalyzer()))(
        None, "resnet50"
    )
    assert not any(each["visible"] for each in files)
    assert (picture_shown["value"], picture_shown["visible"]) == (None, False)
    assert "appears here" in cards
    assert result == ""
    assert not folded["visible"]


def test_picture_is_described_for_those_who_cannot_see_it(photo):
    shown, *_ = make_page_handler(Analyzers(FakeAnalyzer()))(photo, "mobilenet_v2")
    described = "party at night.png: 2 faces. Face 1: happy, 90 %. Face 2: sad, 90 %"
    assert shown["alt_text"] == described
    assert shown["visible"]


def test_page_says_why_a_photo_was_refused_and_clears_the_previous_one(photo):
    photo.path.write_bytes(b"hello")
    answer = make_page_handler(Analyzers(FakeAnalyzer()))
    shown, cards, result, *_ = answer(photo, "mobilenet_v2")
    assert (shown["value"], shown["visible"]) == (None, False)
    assert result == ""
    assert "This is a text file, not a picture." in cards
    assert 'role="alert"' in cards


def test_no_face_is_explained(photo):
    photo.path.write_bytes(png(picture()))
    _, cards, result = make_api_handler(Analyzers(FakeAnalyzer()))(
        photo, "mobilenet_v2", "balanced"
    )
    assert "No face was found" in cards
    assert "*" not in cards
    assert json.loads(result)["faces"] == []


def test_model_that_failed_to_load_is_tried_again(made, monkeypatch):
    def fails(config):
        raise WeightsMissing("The weights are absent.", hint="Restore them.")

    analyzers = Analyzers()
    with monkeypatch.context() as broken:
        broken.setattr(Analyzer, "from_config", fails)
        with pytest.raises(WeightsMissing):
            analyzers.get(AnalyzerConfig())
    assert analyzers.get(AnalyzerConfig()) is made[0]


def test_settings_are_passed_to_the_analyzer(made, photo):
    answer = make_api_handler(Analyzers())
    *_, document = answer(photo, "resnet50", "thorough", "mtcnn", "recall", 0.7, "fer2013")
    config = AnalyzerConfig(
        model="resnet50",
        preset=Preset.THOROUGH,
        detector="mtcnn",
        operating_point=OperatingPoint.RECALL,
    )
    assert made[0].config == config
    answered = FakeAnalyzer(replace(config, certain_from=0.7, reading=Reading.FER2013))
    assert json.loads(document)["provenance"]["config_digest"] == answered.provenance.config_digest
    answer(photo, "mobilenet_v2")
    assert made[1].config == AnalyzerConfig()


def test_page_asks_again_for_a_deleted_photo(tmp_path):
    with gr.Blocks(analytics_enabled=False):
        field = PhotoUpload(type="filepath", image_mode=None)
    field.GRADIO_CACHE = str(tmp_path)
    with pytest.raises(gr.Error, match="Upload it again"):
        field.preprocess(field.data_model(path=str(tmp_path / "gone"), orig_name="a.png"))


def test_upload_field_never_opens_the_file(tmp_path, monkeypatch):
    def opens(*_args, **_options):
        raise AssertionError("Pillow opened an upload")

    with gr.Blocks(analytics_enabled=False):
        field = PhotoUpload(type="filepath", image_mode=None)
    field.GRADIO_CACHE = str(tmp_path)
    (tmp_path / "x").write_bytes(b"%!PS-Adobe")
    monkeypatch.setattr(Image, "open", opens)
    given = field.data_model(path=str(tmp_path / "x"), orig_name="holiday.eps")
    assert field.preprocess(given) == UploadedPhoto(tmp_path / "x", "holiday.eps")


def test_upload_field_is_shown_as_an_image_field():
    with gr.Blocks(analytics_enabled=False):
        assert PhotoUpload().get_block_name() == "image"
    assert not Path(serve.__file__).with_name("photo_upload.pyi").exists()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("../../etc/passwd", "passwd"),
        ("folder/", ""),
    ],
)
def test_file_name_is_the_last_part_of_the_path(given, name):
    assert last_part(given) == name


def test_page_without_a_trained_model_says_how_to_get_one(catalog):
    catalog[:] = [untrained("mobilenet_v2")]
    blocks = build_demo().blocks.values()
    result = " ".join(each.value for each in blocks if isinstance(each, gr.Markdown))
    assert "emotion train --model mobilenet_v2" in result
    assert not [each for each in blocks if isinstance(each, gr.Image)]


def test_settings_keep_visitors_photos_private(monkeypatch):
    page = build_demo(FakeAnalyzer())
    given = {}

    def launch(**settings):
        given.update(settings)
        return SimpleNamespace(router=SimpleNamespace(routes=[])), "", ""

    monkeypatch.setattr(page, "launch", launch)
    serve.launch(page)
    assert page.analytics_enabled is False
    every, older_than = page.delete_cache
    assert every + older_than == 600
    assert every <= 60
    assert page._queue.max_size == 32
    assert page._queue.default_concurrency_limit == 1
    assert given["max_file_size"] == MAX_FILE_BYTES
    assert given["show_error"] is False
    assert given["enable_monitoring"] is False
    assert given["run_history"] is False
    assert given["share"] is False
    assert "allowed_paths" not in given
    [upload] = [each for each in page.blocks.values() if isinstance(each, PhotoUpload)]
    assert (upload.type, upload.image_mode) == ("filepath", None)


def test_page_states_the_limits_and_the_law(root):
    result = [
        each.value
        for each in build_demo(FakeAnalyzer()).blocks.values()
        if isinstance(each, gr.Markdown)
    ]
    short_form = (root / "frontends" / "ethics.md").read_text(encoding="utf-8").strip()
    assert about_tab._IN_MEMORY in short_form
    assert short_form.replace(about_tab._IN_MEMORY, about_tab._IN_FOLDER) in result
    [law] = [each for each in result if "EU AI Act" in each and "## Law" in each]
    assert "What it cannot do" not in law
    assert not re.search(r"\]\((?!https://)", law)
    assert "<!--" not in law


def test_page_without_the_documentation_shows_only_the_short_form(monkeypatch, tmp_path):
    monkeypatch.setattr(about_tab, "WHOLE", tmp_path / "ethics.md")
    blocks = build_demo(FakeAnalyzer()).blocks.values()
    result = " ".join(each.value for each in blocks if isinstance(each, gr.Markdown))
    assert "Using it fairly" in result
    assert "## Law" not in result
    assert not [each for each in blocks if getattr(each, "label", "") == about_tab.REST_LABEL]


def test_api_returns_the_document_with_the_file_s_own_name(client, tmp_path):
    file = tmp_path / "Grüße & küsse #1.png"
    file.write_bytes(HAPPY)
    annotated, cards, result = client.predict(
        handle_file(file), "mobilenet_v2", "balanced", api_name="/analyze"
    )
    assert result == to_json(FakeAnalyzer().analyze(read_image(file)))
    assert "Face 1: Happy" in cards
    with Image.open(annotated) as drawn:
        assert drawn.size == (480, 360)


def test_uploads_lie_where_they_are_deleted_in_time(client, uploads, tmp_path):
    file = tmp_path / "kept for a while.png"
    file.write_bytes(HAPPY)
    client.predict(handle_file(file), "mobilenet_v2", "balanced", api_name="/analyze")
    assert [each.name for each in uploads.rglob("kept*")] == ["kept for a while.png"]


def test_api_refuses_a_bad_file_in_words_without_path_or_traceback(client, tmp_path):
    file = tmp_path / "photo.jpg"
    file.write_bytes(HAPPY[:300])
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(file), "mobilenet_v2", "balanced", api_name="/analyze")
    result = str(caught.value)
    assert "damaged" in result
    assert "Traceback" not in result
    assert str(tmp_path) not in result
    assert "/tmp" not in result


def test_api_says_what_it_does(client):
    result = client.view_api(return_format="dict")["named_endpoints"]["/analyze"]
    names = [each["parameter_name"] for each in result["parameters"]]
    settings = ["model", "preset", "detector", "operating_point", "certain_from", "reading"]
    assert names == ["photo", *settings, "turn"]
    assert [each["parameter_has_default"] for each in result["parameters"]] == [False] + 7 * [True]
    assert result["parameters"][-1]["parameter_default"] == "automatic"
    assert len(result["returns"]) == 3


def test_api_turns_a_photo(client, tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(HAPPY)
    upright, turned = (
        json.loads(
            client.predict(handle_file(file), "mobilenet_v2", turn=turn, api_name="/analyze")[2]
        )
        for turn in ("automatic", "90")
    )
    assert (upright["turned"], turned["turned"]) == (0, 90)
    assert (turned["width"], turned["height"]) == (upright["height"], upright["width"])


@pytest.mark.parametrize("with_meta", [True, False])
def test_api_reads_only_uploaded_files(address, root, with_meta):
    payload = {"path": str(root / "frontends" / "streamlit_app" / "icon.png"), "orig_name": "a.png"}
    if with_meta:
        payload["meta"] = {"_type": "gradio.FileData"}
    result = send(address, payload)
    assert "schema_version" not in result
    assert str(root) not in result


def test_api_decodes_no_data_address(address):
    data = "data:image/png;base64," + base64.b64encode(HAPPY).decode()
    assert "schema_version" not in send(address, {"path": None, "url": data})


@pytest.mark.parametrize("web", ["https://192.0.2.1/a.png", "http://192.0.2.1/a.png"])
def test_upload_field_opens_no_web_address(web, no_network):
    with gr.Blocks(analytics_enabled=False):
        field = PhotoUpload(type="filepath", image_mode=None)
    with pytest.raises(gr.Error, match="web address"):
        asyncio.run(field.async_move_resource_to_block_cache(web))
    assert not no_network


def test_too_large_file_is_refused_during_upload(address):
    large = b"\xff\xd8\xff" + bytes(MAX_FILE_BYTES)
    reply = httpx.post(
        f"{address}gradio_api/upload", files={"files": ("a.jpg", large)}, timeout=120
    )
    assert reply.status_code == 413
    assert "/tmp" not in reply.text


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_on_disk_when_the_server_ends(root, tmp_path, end):
    command = [sys.executable, str(root / "frontends" / "gradio_app" / "app.py")]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    environment.pop("GRADIO_TEMP_DIR", None)
    # A shell's `&` starts tests with Ctrl-C ignored, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, env=environment, stderr=PIPE, text=True) as server:
        signal.signal(signal.SIGINT, before)
        assert server.stderr is not None
        result = server.stderr.readline()
        address = re.search(r"http://\S+", result)[0]
        files = {"files": ("a.png", HAPPY)}
        httpx.post(f"{address}gradio_api/upload", files=files, timeout=60).raise_for_status()
        [folder] = tmp_path.glob("photo-emotion-*")
        assert folder.stat().st_mode & 0o077 == 0
        assert list(folder.rglob("a.png"))
        server.send_signal(end)
        try:
            server.wait(60)
        finally:
            server.kill()
    assert not list(tmp_path.glob("photo-emotion-*"))
