"""The demo's tab Video and its API, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr
import pytest
from gradio.data_classes import FileData

from frontends.analyzers import Analyzers
from frontends.film_files import film_path
from frontends.films import DEMO_BOUNDS, FilmBounds, FilmState
from frontends.gradio_app import video_tab
from frontends.gradio_app.demo import build_demo
from frontends.gradio_app.photo_upload import FilmUpload, UploadedPhoto
from tests.fakes import FakeAnalyzer
from tests.frontends.film_visits import write_film

# Gradio leaves event loops behind for every page that it makes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SETTINGS = ("mobilenet_v2",)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return UploadedPhoto(write_film(tmp_path_factory.mktemp("film") / "blob.mp4"), "our film.mp4")


@pytest.fixture
def follow(monkeypatch):
    monkeypatch.setattr(video_tab, "_LOOK_AGAIN_S", 0.01)
    return video_tab.make_page_handler(Analyzers(FakeAnalyzer()), 600)


@pytest.fixture
def analyze(monkeypatch):
    monkeypatch.setattr(video_tab, "_LOOK_AGAIN_S", 0.01)
    return video_tab.make_api_handler(Analyzers(FakeAnalyzer()))


def test_page_shows_progress_with_cancel_and_then_the_answer(film, follow):
    *working, (status, cancel, player, job) = follow(film, None, *SETTINGS)
    assert working
    assert all(fields[1]["visible"] for fields in working)
    assert "our film.mp4" in working[0][0]["value"]
    assert "<progress" in working[0][0]["value"]
    assert (job.state, status["visible"], cancel["visible"]) == (FilmState.DONE, False, False)
    # Relative: a host may show the page below a path of its own.
    assert f'src="{film_path().removeprefix("/")}/{job.key}/marked.mp4"' in player["html"]


def test_next_film_replaces_the_one_before(film, follow):
    *_, (_, _, _, job) = follow(film, None, *SETTINGS)
    folder = job._work.folder
    (fields,) = follow(None, job, *SETTINGS)
    assert fields[3] is None
    assert not folder.exists()


def test_refused_film_says_why(film, follow, tmp_path):
    notes = tmp_path / "notes.mp4"
    notes.write_text("hello")
    *_, (status, cancel, player, job) = follow(UploadedPhoto(notes, "<b>.mp4"), None, *SETTINGS)
    assert "&lt;b&gt;.mp4 could not be read." in status["value"]
    assert "Save it as MP4" in status["value"]
    assert (cancel["visible"], player, job) == (False, {"html": ""}, None)
    *_, (status, *_) = follow(film, None, "no model")
    assert "could not be read" in status["value"]


def test_cancelled_film_and_one_whose_visitor_left_are_deleted(film, follow):
    replies = follow(film, None, *SETTINGS)
    job = next(replies)[3]
    video_tab._cancel(job)
    *_, (status, *_) = replies
    assert "Cancelled." in status["value"]
    replies = follow(film, None, *SETTINGS)
    job = next(replies)[3]
    replies.close()
    assert job.state is FilmState.CANCELLED
    assert not job._work.folder.exists()


def test_answer_is_deleted_after_a_while(film, monkeypatch):
    monkeypatch.setattr(video_tab, "_LOOK_AGAIN_S", 0.01)
    kept = []
    monkeypatch.setattr(video_tab.FilmJob, "keep_for", lambda _, seconds: kept.append(seconds))
    list(video_tab.make_page_handler(Analyzers(FakeAnalyzer()), 600)(film, None, *SETTINGS))
    assert kept == [600]


def test_api_returns_summary_table_and_marked_film(film, analyze):
    text, table, marked = analyze(film, *SETTINGS)
    summary = json.loads(text)
    assert (summary["name"], summary["frames"], summary["duration_s"]) == ("our film.mp4", 12, 0.4)
    happy, sad = summary["faces"]
    assert happy["shares"] == {"happy": 1.0}
    assert sad["bands"] == [{"start_s": 0.2, "end_s": 0.4, "answer": "sad"}]
    rows = Path(table).read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1 + 12 + 6
    assert Path(marked).read_bytes()[4:8] == b"ftyp"


def test_api_refuses_in_plain_words(film, analyze, monkeypatch):
    with pytest.raises(gr.Error, match="There is no film"):
        analyze(None, *SETTINGS)
    monkeypatch.setattr(video_tab, "DEMO_BOUNDS", FilmBounds(50, 60, 64))
    with pytest.raises(gr.Error, match="64") as caught:
        analyze(film, *SETTINGS)
    assert caught.value.title == "The film could not be read"


def test_only_uploads_are_read(tmp_path):
    field = FilmUpload()
    with pytest.raises(gr.Error, match="was not uploaded"):
        field.preprocess(FileData(path=str(tmp_path / "secret.mp4")))
    assert field.preprocess(None) is None


def test_bounds_are_smaller_than_the_app_s_and_are_said():
    page = build_demo(FakeAnalyzer())
    texts = [str(getattr(each, "value", "")) for each in page.blocks.values()]
    assert any(DEMO_BOUNDS.sentence in each for each in texts)


def test_api_names_its_settings_and_files():
    endpoints = build_demo(FakeAnalyzer()).get_api_info()["named_endpoints"]
    assert set(endpoints) == {"/analyze", "/analyze_film"}
    film = endpoints["/analyze_film"]
    settings = ["model", "preset", "detector", "operating_point", "certain_from", "reading"]
    assert [each["parameter_name"] for each in film["parameters"]] == ["film", *settings]
    assert [each["label"] for each in film["returns"]] == ["Summary", "Table", "Marked film"]
