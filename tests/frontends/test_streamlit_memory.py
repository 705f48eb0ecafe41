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
    size = Workspace().decode_image(photo).pixels.nbytes
    monkeypatch.setattr(workspaces, "_VISITS", _Visits())
    monkeypatch.setattr(workspaces, "_IMAGE_BYTES_OF_ALL", 2 * size)
    return photo


def test_visit_idle_longest_loses_its_pictures(photo):
    first, second, third = Workspace(), Workspace(), Workspace()
    for each in (first, second, first, third):
        each.decode_image(photo)
    assert [each.images.held > 0 for each in (first, second, third)] == [True, False, True]


def test_dropped_picture_is_decoded_again(photo):
    visits = [Workspace() for _ in range(3)]
    before = [each.decode_image(photo).pixels for each in visits]
    assert visits[0].images.held == 0
    assert (visits[0].decode_image(photo).pixels == before[0]).all()


def test_newest_visit_keeps_even_a_huge_picture(photo, monkeypatch):
    monkeypatch.setattr(workspaces, "_IMAGE_BYTES_OF_ALL", 1)
    one, other = Workspace(), Workspace()
    one.decode_image(photo)
    assert one.images.held > 0
    other.decode_image(photo)
    assert (one.images.held, other.images.held > 0) == (0, True)


def test_idle_server_drops_pictures_and_keeps_answers(photo, monkeypatch):
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


def test_ended_visit_is_not_kept_in_memory(photo):
    visit = Workspace()
    visit.decode_image(photo)
    gone = weakref.ref(visit)
    del visit
    gc.collect()
    assert gone() is None


def test_cache_is_not_cleared_while_a_value_is_made_and_clear_does_not_wait():
    cache = Cache[int](10, lambda value: value)
    cache.get("kept", lambda: 3)
    making, done = threading.Event(), threading.Event()

    def make():
        making.set()
        done.wait(10)
        return 4

    thread = threading.Thread(target=cache.get, args=("new", make))
    thread.start()
    making.wait(10)
    cache.clear()
    assert cache.held == 3
    done.set()
    thread.join()
    assert cache.held == 7
    cache.clear()
    assert (cache.held, len(cache)) == (0, 0)
