"""A photo that crashes or hangs its decoder is refused by every front, which then continues."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from html import unescape

import pytest
from typer.testing import CliRunner

import core
from cli.main import app
from core import Emotion, IsolatedReader
from core.reading import isolation
from frontends.analyzers import Analyzers
from frontends.gradio_app.answering import make_page_handler
from frontends.gradio_app.photo_upload import UploadedPhoto
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import Refusal, Workspace
from tests.core.reading.faulty_decoder import COMMAND, with_fault
from tests.fakes import FakeAnalyzer, picture, png

GOOD = png(picture(Emotion.HAPPY))
FAULTS = {"crash": "made the decoder crash", "spin": "took longer than 2 seconds"}


@pytest.fixture(scope="module")
def reader() -> Iterator[IsolatedReader]:
    """Decode like the shared reader, but fail for pictures that ask for it."""
    with IsolatedReader(command=COMMAND, seconds=2) as faulty:
        yield faulty


@pytest.fixture(autouse=True)
def _faulty(reader, monkeypatch):
    monkeypatch.setattr(isolation, "_get_shared_reader", lambda _process: reader)


@pytest.mark.parametrize("fault", FAULTS)
def test_streamlit_refuses_the_file_and_answers_the_next(fault):
    workspace, analyzer = Workspace(), FakeAnalyzer()
    refused = workspace.answer(Photo.of("a.png", with_fault(GOOD, fault)), analyzer)
    assert isinstance(refused, Refusal)
    assert FAULTS[fault] in refused.message
    answered = workspace.answer(Photo.of("b.png", GOOD), analyzer)
    assert [face.emotions.top for face in answered.faces] == [Emotion.HAPPY]


@pytest.mark.parametrize("fault", FAULTS)
def test_gradio_refuses_the_file_and_answers_the_next(fault, tmp_path):
    show = make_page_handler(Analyzers(FakeAnalyzer()))
    path = tmp_path / "blob"
    path.write_bytes(with_fault(GOOD, fault))
    shown, cards, document, *_ = show(UploadedPhoto(path, "a.png"), "mobilenet_v2")
    assert (shown["value"], document) == (None, "")
    assert FAULTS[fault] in unescape(cards)
    path.write_bytes(GOOD)
    _, _, document, *_ = show(UploadedPhoto(path, "b.png"), "mobilenet_v2")
    assert len(json.loads(document)["faces"]) == 1


def test_live_camera_reports_the_problem_and_answers_the_next_frame():
    from frontends.live import Stream, answer_message

    def group(data):
        jpeg = "data:image/jpeg;base64," + base64.b64encode(data).decode()
        return {"number": 1, "frames": [{"at": 1, "jpeg": jpeg}]}

    stream, analyzer = Stream(), FakeAnalyzer()
    result = answer_message(group(with_fault(GOOD, "crash")), stream, analyzer)
    assert FAULTS["crash"] in result["problem"]
    [frame] = answer_message(group(GOOD), stream, analyzer)["frames"]
    assert len(frame["faces"]) == 1


def test_command_line_continues_with_the_next_photo(tmp_path, monkeypatch):
    monkeypatch.setattr(core.Analyzer, "from_config", classmethod(lambda _, c: FakeAnalyzer(c)))
    photos = {
        "1.png": GOOD,
        "2.png": with_fault(GOOD, "crash"),
        "3.png": with_fault(GOOD, "spin"),
        "4.png": GOOD,
    }
    for name, data in photos.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / name) for name in photos]
    shown = CliRunner().invoke(app, ["analyze", *paths, "--format", "jsonl"])
    assert shown.exit_code == 1
    assert [json.loads(line)["name"] for line in shown.stdout.splitlines()] == ["1.png", "4.png"]
    for words in FAULTS.values():
        assert words in shown.stderr
