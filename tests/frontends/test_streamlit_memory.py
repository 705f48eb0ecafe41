"""The pictures of all visits share one budget."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from core import Emotion
from frontends.idle import IdleTasks
from frontends.streamlit_app import workspace as workspaces
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import Cache, Workspace, _Visits
from tests.fakes import FakeAnalyzer, picture, png


@pytest.fixture
def photo(monkeypatch):
    """A photo, with room for the pictures of two visits that look at it."""
    photo = Photo.of("a.png", png(picture(Emotion.SAD)))
    monkeypatch.setattr(workspaces, "_VISITS", _Visits())
    size = Workspace().image(photo).pixels.nbytes
    monkeypatch.setattr(workspaces, "_VISITS", _Visits())
    monkeypatch.setattr(workspaces, "_IMAGE_BYTES_OF_ALL", 2 * size)
    return photo


def test_visit_that_rests_longest_lets_its_pictures_go(photo):
    first, second, third = Workspace(), Workspace(), Workspace()
    for each in (first, second, first, third):
        each.image(photo)
    assert [each.images.held > 0 for each in (first, second, third)] == [True, False, True]


def test_picture_that_was_let_go_is_decoded_again(photo):
    visits = [Workspace() for _ in range(3)]
    before = [each.image(photo).pixels for each in visits]
    assert visits[0].images.held == 0
    assert (visits[0].image(photo).pixels == before[0]).all()


def test_newest_visit_keeps_its_picture_however_large(photo, monkeypatch):
    monkeypatch.setattr(workspaces, "_IMAGE_BYTES_OF_ALL", 1)
    one, other = Workspace(), Workspace()
    one.image(photo)
    assert one.images.held > 0
    other.image(photo)
    assert (one.images.held, other.images.held > 0) == (0, True)


def test_pictures_go_after_a_rest_and_the_answers_stay(photo, monkeypatch):
    looked = threading.Event()
    rest = IdleTasks(0.3, workspaces._VISITS.drop_pictures, looked.set)
    monkeypatch.setattr(workspaces, "_IDLE_TASKS", rest)
    visit, analyzer = Workspace(), FakeAnalyzer()
    analysis = visit.answer(photo, analyzer)
    shown = visit.draw(photo, analysis)
    assert visit.images.held > 0
    assert visit.drawn.held > 0
    assert looked.wait(10)
    assert (visit.images.held, visit.drawn.held) == (0, 0)
    assert visit.answer(photo, analyzer) is analysis
    assert visit.draw(photo, analysis) == shown


def test_visit_that_is_over_is_not_held(photo):
    visit = Workspace()
    visit.image(photo)
    gone = weakref.ref(visit)
    del visit
    gc.collect()
    assert gone() is None


def test_shelf_is_not_emptied_while_a_value_is_made_and_nobody_waits_for_that():
    shelf = Cache[int](10, lambda value: value)
    shelf.get("kept", lambda: 3)
    making, done = threading.Event(), threading.Event()

    def make():
        making.set()
        done.wait(10)
        return 4

    thread = threading.Thread(target=shelf.get, args=("new", make))
    thread.start()
    making.wait(10)
    shelf.clear()
    assert shelf.held == 3
    done.set()
    thread.join()
    assert shelf.held == 7
    shelf.clear()
    assert (shelf.held, len(shelf)) == (0, 0)
