"""The page that reads the emotions in a film."""

from __future__ import annotations

import gc

import pytest
from streamlit.runtime.scriptrunner import RerunData, RerunException
from streamlit.runtime.state.safe_session_state import SafeSessionState
from typer.testing import CliRunner

from cli.main import app as command
from core import Preset
from frontends.films import APP_BOUNDS, TABLE, FilmState
from frontends.streamlit_app.views import video
from tests.frontends.film_visits import wait_until_read, write_film
from tests.frontends.streamlit_pages import open_page

pytestmark = pytest.mark.usefixtures("catalog", "made")


@pytest.fixture
def shown(monkeypatch):
    """What the player is given."""
    given = []
    monkeypatch.setattr(video, "_player", lambda: lambda **options: given.append(options))
    return given


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


def give(app, name, data):
    """Upload a film and wait for its answer."""
    app.file_uploader[0].set_value((name, data, "video/mp4"))
    app.run()
    wait_until_read(app.session_state["film_job"])
    return app.run()


def test_empty_page_says_what_it_takes(shown):
    app = open_page("video")
    assert not app.exception
    assert any(APP_BOUNDS.sentence in each.value for each in app.caption)
    assert not app.button
    assert shown == []


def test_table_of_the_page_is_that_of_the_command_line(film, tmp_path, shown, made):
    app = give(open_page("video"), "film.mp4", film.read_bytes())
    assert not app.exception
    job = app.session_state["film_job"]
    assert job.key in shown[-1]["data"]["html"]
    assert shown[-1]["key"] == "film_1"
    assert {each.config.preset for each in made} == {Preset.FAST}
    rows = tmp_path / "rows.csv"
    result = CliRunner().invoke(command, ["live", str(film), "--csv", str(rows)])
    assert result.exit_code == 0, result.output
    assert job.find_file(TABLE).read_bytes() == rows.read_bytes()
    assert len(rows.read_text("utf-8").splitlines()) == 1 + 12 + 6


def test_refused_film_says_why_and_the_next_one_is_read(film, shown):
    app = give(open_page("video"), "<b>notes.mp4", b"hello")
    (error,) = app.error
    assert "notes" in error.value
    assert "not a readable video" in error.value
    assert "Save it as MP4" in error.value
    app = give(app, "film.mp4", film.read_bytes())
    assert not app.error
    assert len(shown) == 1


@pytest.mark.parametrize("key", ["film_job", "film_number"])
def test_film_is_read_when_streamlit_starts_the_page_again_meanwhile(film, shown, monkeypatch, key):
    app, interruptions = open_page("video"), [key]
    store = SafeSessionState.__setitem__

    def interrupt_once(state, name, value):
        if name in interruptions and value:
            interruptions.remove(name)
            raise RerunException(RerunData())
        store(state, name, value)

    monkeypatch.setattr(SafeSessionState, "__setitem__", interrupt_once)
    app = give(app, "film.mp4", film.read_bytes())
    assert not interruptions
    assert app.session_state["film_job"].state is FilmState.DONE
    assert len(shown) == 1


def test_cancelled_film_leaves_the_page_ready_for_another(film, shown):
    app = give(open_page("video"), "film.mp4", film.read_bytes())
    app.session_state["film_job"].cancel()
    app.run()
    assert "Cancelled." in app.info[0].value
    assert app.file_uploader
    assert len(shown) == 1


def test_progress_is_shown_with_a_button_to_cancel(film, monkeypatch):
    app = open_page("video")
    monkeypatch.setattr(video.FilmJob, "is_running", property(lambda _: True))
    app.file_uploader[0].set_value(("film.mp4", film.read_bytes(), "video/mp4"))
    app.run()
    assert [each.label for each in app.button] == ["Cancel"]
    monkeypatch.undo()
    wait_until_read(app.session_state["film_job"])
    app.button[0].click().run()
    assert app.session_state["film_job"].state is FilmState.CANCELLED


def test_reload_finds_the_answer_again(film, shown):
    before = give(open_page("video"), "film.mp4", film.read_bytes())
    job = before.session_state["film_job"]
    again = open_page_at(job.key)
    assert again.session_state["film_job"] is job
    assert shown[-1]["data"] == shown[0]["data"]


def open_page_at(key):
    from streamlit.testing.v1 import AppTest

    def page():
        from frontends.streamlit_app.views import video

        video.page()

    app = AppTest.from_function(page, default_timeout=200)
    app.query_params["film"] = key
    return app.run()


def test_unknown_key_shows_the_empty_page(shown):
    app = open_page_at("guessed")
    assert app.file_uploader
    assert shown == []


def test_another_film_forgets_the_first(film, shown):
    app = give(open_page("video"), "film.mp4", film.read_bytes())
    folder = app.session_state["film_job"]._work.folder
    assert folder.exists()
    next(each for each in app.button if each.label == "Another film").click().run()
    assert not folder.exists()
    assert app.file_uploader
    assert len(shown) == 1


def test_end_of_the_session_deletes_the_film(film, shown):
    app = give(open_page("video"), "film.mp4", film.read_bytes())
    folder = app.session_state["film_job"]._work.folder
    shown.clear()
    del app
    gc.collect()
    assert not folder.exists()


def test_changed_settings_offer_to_read_again(film, shown):
    app = give(open_page("video"), "film.mp4", film.read_bytes())
    app.radio(key="reading").set_value("fer2013").run()
    button = next(each for each in app.button if each.label.startswith("Read again"))
    button.click().run()
    job = app.session_state["film_job"]
    wait_until_read(job)
    assert job.config.reading == "fer2013"
    assert job.state is FilmState.DONE
    assert shown
