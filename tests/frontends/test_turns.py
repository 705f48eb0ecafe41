"""A few answers at a time, a bounded number of visitors waiting, the rest told so at once."""

from __future__ import annotations

import base64
import json
import threading

import pytest

import core
from core import Emotion, ProjectError
from frontends import live_socket
from frontends.streamlit_app import workspace as workspaces
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import Workspace
from frontends.turns import Turns
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


@pytest.fixture
def decoded(monkeypatch):
    """The names of the pictures that were decoded."""
    names, read = [], core.read_image

    def noted(data, *, name=None):
        names.append(name)
        return read(data, name=name)

    monkeypatch.setattr(core, "read_image", noted)
    return names


@pytest.mark.parametrize(
    "ask",
    [
        lambda memory, photo, told, fake: memory.candidates(photo, fake),
        lambda memory, photo, told, fake: memory.with_opinions(photo, told, fake),
        lambda memory, photo, told, fake: memory.maps(photo, told, fake),
        lambda memory, photo, told, fake: memory.shown(photo, told, explained_by=fake),
        lambda memory, photo, told, fake: memory.remember("else", lambda: memory.image(photo)),
    ],
    ids=["candidates", "opinions", "maps", "heat", "anything else"],
)
def test_all_else_that_asks_networks_takes_a_turn_before_it_decodes(monkeypatch, decoded, ask):
    photo, memory, fake = Photo.of("a.png", png(picture(Emotion.SAD))), Workspace(), FakeAnalyzer()
    told = memory.answer(photo, fake)
    memory.forget_images()
    decoded.clear()
    full = Turns(at_once=1, waiting=0)
    monkeypatch.setattr(workspaces, "TURNS", full)
    with full.turn(), pytest.raises(ProjectError, match="Too many"):
        ask(memory, photo, told, fake)
    assert decoded == []
    there = ask(memory, photo, told, fake)
    with full.turn():
        assert ask(memory, photo, told, fake) is there


def test_live_frames_take_a_turn_before_they_are_decoded(monkeypatch, decoded):
    frame = base64.b64encode(png(picture(Emotion.SAD))).decode()
    jpeg = f"data:image/jpeg;base64,{frame}"
    sent = {"number": 7, "run": "a", "frames": [{"at": n, "jpeg": jpeg} for n in (1, 2)]}
    session = live_socket.LiveSession(FakeAnalyzer)
    full = Turns(at_once=1, waiting=0)
    monkeypatch.setattr(live_socket, "TURNS", full)
    with full.turn():
        told = session.answer(json.dumps(sent))
    assert decoded == []
    assert (told["number"], told["run"]) == (7, "a")
    assert told["problem"].startswith("Too many photos are waiting")
    told = session.answer(json.dumps(sent))
    assert decoded == ["camera", "camera"]
    assert [len(frame["faces"]) for frame in told["frames"]] == [1, 1]
