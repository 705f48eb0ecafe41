"""A visitor's film: read in the background, in turns with the photos, and gone with the visit."""

from __future__ import annotations

import gc
import os
import stat
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import AnalyzerConfig, ProjectError
from frontends import films, private_folders
from frontends.admission import Admission
from frontends.film_files import film_path, film_route
from frontends.film_view import film_html
from frontends.films import (
    APP_BOUNDS,
    DEMO_BOUNDS,
    MARKED,
    PLOT,
    TABLE,
    FilmBounds,
    FilmJob,
    FilmState,
    find_job,
    make_film_config,
)
from tests.fakes import FakeAnalyzer
from tests.frontends.film_visits import wait_until_read, write_film

CONFIG = make_film_config(AnalyzerConfig())


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


def read(data: bytes, name="film.mp4", bounds=APP_BOUNDS, load=FakeAnalyzer) -> FilmJob:
    job = FilmJob(name, lambda file: file.write_bytes(data), bounds)
    job.start(CONFIG, load)
    wait_until_read(job)
    return job


def test_answer_has_a_player_a_timeline_a_table_and_downloads(film):
    job = read(film.read_bytes())
    assert job.state is FilmState.DONE
    html = film_html(job, f"/film/{job.key}")
    assert "0.4 s, 12 frames, 2 faces" in html
    assert f'src="/film/{job.key}/marked.mp4"' in html
    assert html.count('class="track"') == 2
    assert 'data-start="0.2" data-end="0.4" data-word="Sad"' in html
    assert "<td>0.2 s</td>" in html
    assert html.count("<td>100 %</td>") == 2
    assert all(f"{name}?save" in html for name in (TABLE, MARKED, PLOT))
    assert all(job.find_file(name).stat().st_size for name in (TABLE, MARKED, PLOT))
    assert job.find_file("film") is None


def test_unsure_answers_are_bands_and_a_column_of_their_own(film, monkeypatch):
    monkeypatch.setattr("tests.fakes.CERTAIN_FROM", 0.99)
    html = film_html(read(film.read_bytes()), "film")
    assert html.count('<th scope="col">Not sure</th>') == 1
    assert 'class="unsure"' in html
    assert "Happy" not in html


def test_film_without_a_face_says_so(tmp_path):
    from tests.films import make_film, noisy

    html = film_html(read(make_film(tmp_path / "a.mp4", noisy(3)).read_bytes()), "film")
    assert "No face was found" in html
    assert "track" not in html


def test_many_faces_are_left_out_of_the_page_and_that_is_said(film):
    job = read(film.read_bytes())
    job.summary.faces |= dict.fromkeys(range(3, 21), job.summary.faces[1])
    assert "12 of 20 faces are shown" in film_html(job, "film")


@pytest.mark.parametrize(
    ("data", "message"), [(b"hello", "not a readable video"), (b"", "file is empty")]
)
def test_refused_film_says_why_and_is_deleted(data, message):
    job = read(data)
    assert job.state is FilmState.REFUSED
    assert message in job.refusal[0]
    assert job.refusal[1]
    assert not job._work.folder.exists()


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (FilmBounds(megabytes=50, seconds=60, longest_side_px=64), "64"),
        (FilmBounds(megabytes=50, seconds=0.2, longest_side_px=1920), "0 seconds"),
        (FilmBounds(megabytes=0, seconds=60, longest_side_px=1920), "0 MB"),
    ],
)
def test_film_over_the_bounds_is_refused(film, bounds, message):
    job = read(film.read_bytes(), bounds=bounds)
    assert job.state is FilmState.REFUSED
    assert message in job.refusal[0]
    assert job.refusal[1]


def test_what_is_missing_is_said_beside_the_answer(film):
    job = read(film.read_bytes())
    job._work.problems = ("3 of about 12 frames could not be read.",)
    assert '<p class="note">3 of about 12 frames could not be read.</p>' in film_html(job, "film")


def test_bounds_are_said_in_words():
    assert APP_BOUNDS.sentence == "One film of up to 10 minutes, 300 MB and 4096 pixels a side."
    assert DEMO_BOUNDS.sentence == "One film of up to 60 seconds, 50 MB and 1920 pixels a side."


def test_model_that_cannot_be_loaded_is_a_reason_too(film):
    def fail():
        raise ProjectError("The weights are missing.", hint="Run `emotion doctor`.")

    job = read(film.read_bytes(), load=fail)
    assert job.refusal == ("The weights are missing.", "Run `emotion doctor`.")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_error_of_ours_does_not_leave_the_page_waiting(film):
    job = read(film.read_bytes(), load=lambda: 1 / 0)
    assert job.state is FilmState.REFUSED
    assert job.refusal[0] == "This film could not be read."


def test_cancelled_film_is_deleted_at_once(film):
    reached, go_on = threading.Event(), threading.Event()

    class Slow(FakeAnalyzer):
        def detect(self, image):
            reached.set()
            go_on.wait(60)
            return super().detect(image)

    job = FilmJob("film.mp4", lambda file: file.write_bytes(film.read_bytes()))
    job.start(CONFIG, Slow)
    assert reached.wait(60)
    assert stat.S_IMODE(job._work.folder.stat().st_mode) == 0o700
    job.cancel()
    assert job.state is FilmState.CANCELLED
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "film":
            thread.join()
    assert job.state is FilmState.CANCELLED
    assert not job._work.folder.exists()


def test_nothing_is_kept_after_the_visit(film):
    job = read(film.read_bytes())
    folder, key = job._work.folder, job.key
    assert find_job(key) is job
    del job
    gc.collect()
    assert not folder.exists()
    assert find_job(key) is None


def test_end_of_the_server_deletes_all_films(film):
    job = read(film.read_bytes())
    films.delete_all_films()
    assert not job._work.folder.exists()


def test_films_of_a_killed_server_are_deleted_by_the_next_one(film, tmp_path, monkeypatch):
    monkeypatch.setattr(private_folders.tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for owner in (ended.pid, os.getpid(), os.getppid()):
        (tmp_path / f"photo-emotion-visit-{owner}-abc").mkdir()
    (tmp_path / "photo-emotion-visit-notes").mkdir()
    private_folders.delete_leftovers.cache_clear()
    job = read(film.read_bytes())
    left = {each.name for each in tmp_path.iterdir()} - {job._work.folder.name}
    assert left == {f"photo-emotion-visit-{os.getppid()}-abc", "photo-emotion-visit-notes"}


def test_film_can_be_read_again_with_other_settings(film):
    job = read(film.read_bytes())
    before = job.find_file(TABLE).read_bytes()
    again = AnalyzerConfig(reading="fer2013")
    job.start(again, partial(FakeAnalyzer, again))
    wait_until_read(job)
    assert (job.state, job.config) == (FilmState.DONE, again)
    assert job.find_file(TABLE).read_bytes() != before


def test_film_asks_for_a_place_for_each_frame_that_it_reads(film, monkeypatch):
    """So a photo waits for one frame; and a full queue costs no film that has begun."""
    places = []

    class Counted(Admission):
        def admit(self, **options):
            places.append(options)
            return super().admit(**options)

    monkeypatch.setattr(films, "ADMISSION", Counted(at_once=1, waiting=-1))
    job = read(film.read_bytes())
    assert job.state is FilmState.DONE
    # 30 frames a second, of which 15 are read.
    assert places == [{"patient": True}] * 6


def test_too_many_films_are_refused_with_a_next_step(film, monkeypatch):
    monkeypatch.setattr(films, "FILMS", Admission(at_once=0, waiting=0, what="films"))
    assert read(film.read_bytes()).refusal == (
        "Too many films are waiting.",
        "Try again in a minute.",
    )


@pytest.fixture
def client():
    return TestClient(Starlette(routes=[film_route("below")]))


def test_files_are_sent_in_parts_to_whoever_knows_the_key(film, client):
    job = read(film.read_bytes(), name="../My film.mp4")
    address = f"{film_path('below')}/{job.key}/{MARKED}"
    part = client.get(address, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["cache-control"] == "no-store"
    saved = client.get(f"/below/film/{job.key}/{TABLE}?save")
    assert saved.headers["content-disposition"] == 'attachment; filename="My_film.emotions.csv"'
    for wrong in (f"/below/film/{job.key}/film", f"/below/film/x/{TABLE}"):
        assert client.get(wrong).status_code == 404
    job.cancel()
    assert client.get(address).status_code == 404


def test_player_code_is_complete():
    from frontends.film_view import read_player_code

    for front in ("streamlit_app", "gradio_app"):
        script = Path(films.__file__).parent / front / "film.js"
        html, css, code = read_player_code(script)
        assert "film" in html
        assert ".track" in css
        assert "class Film" in code
        assert "new Film" in code
