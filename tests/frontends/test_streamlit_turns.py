"""A few answers at a time, a bounded number of visitors waiting, the rest told so at once."""

from __future__ import annotations

import threading

import pytest

from core import Emotion, ProjectError
from frontends.streamlit_app import workspace as workspaces
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.turns import Turns
from frontends.streamlit_app.workspace import Workspace
from tests.fakes import FakeAnalyzer, picture, png


def test_no_more_work_at_once_than_allowed_and_all_get_their_turn():
    turns, lock = Turns(at_once=2, waiting=8), threading.Lock()
    working, most, done = 0, 0, []

    def visit(number):
        nonlocal working, most
        with turns.turn():
            with lock:
                working += 1
                most = max(most, working)
            threading.Event().wait(0.01)
            with lock:
                working -= 1
            done.append(number)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert most == 2
    assert sorted(done) == list(range(10))


def test_who_finds_no_room_is_told_without_waiting_and_may_come_again():
    turns = Turns(at_once=1, waiting=0)
    raises = pytest.raises(ProjectError, match="Too many photos")
    with turns.turn(), raises as caught, turns.turn():
        pass
    assert caught.value.hint == "Try again in a minute."
    with turns.turn():
        pass


def test_an_error_gives_the_turn_back():
    turns = Turns(at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ValueError, match="wrong"), turns.turn():
            raise ValueError("wrong")


def test_being_turned_away_is_not_kept_as_the_answer(monkeypatch):
    photo, memory = Photo.of("a.png", png(picture(Emotion.SAD))), Workspace()
    full = Turns(at_once=1, waiting=0)
    monkeypatch.setattr(workspaces, "TURNS", full)
    with full.turn(), pytest.raises(ProjectError, match="Too many"):
        memory.answer(photo, FakeAnalyzer())
    assert len(memory.answer(photo, FakeAnalyzer()).faces) == 1


def test_an_answer_that_is_there_needs_no_turn(monkeypatch):
    photo, memory = Photo.of("a.png", png(picture(Emotion.SAD))), Workspace()
    first = memory.answer(photo, FakeAnalyzer())
    full = Turns(at_once=1, waiting=0)
    monkeypatch.setattr(workspaces, "TURNS", full)
    with full.turn():
        assert memory.answer(photo, FakeAnalyzer()) is first
