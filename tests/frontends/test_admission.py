"""The queue for networks: few run, some visitors wait, the others are refused at once."""

from __future__ import annotations

import base64
import json
import threading

import pytest

import core
from core import Emotion, ProjectError
from frontends import admission as admissions
from frontends import live_socket
from frontends.admission import Admission, CameraPlaces
from frontends.streamlit_app import workspace as workspaces
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import Workspace
from tests.fakes import FakeAnalyzer, picture, png


def test_admission_limits_parallel_work_and_serves_everyone():
    admission, lock = Admission(at_once=2, waiting=8), threading.Lock()
    working, most, done = 0, 0, []

    def visit(number):
        nonlocal working, most
        with admission.admit():
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


def test_full_queue_refuses_at_once_and_admits_again_later():
    admission = Admission(at_once=1, waiting=0)
    raises = pytest.raises(ProjectError, match="Too many photos")
    with admission.admit(), raises as caught, admission.admit():
        pass
    assert caught.value.hint == "Try again in a minute."
    with admission.admit():
        pass


def test_error_frees_the_place():
    admission = Admission(at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ValueError, match="wrong"), admission.admit():
            raise ValueError("wrong")


def test_refusal_by_the_queue_is_not_kept_as_the_answer(monkeypatch):
    photo, memory = Photo.of("a.png", png(picture(Emotion.SAD))), Workspace()
    full = Admission(at_once=1, waiting=0)
    monkeypatch.setattr(workspaces, "ADMISSION", full)
    with full.admit(), pytest.raises(ProjectError, match="Too many"):
        memory.answer(photo, FakeAnalyzer())
    assert len(memory.answer(photo, FakeAnalyzer()).faces) == 1


def test_known_answer_does_not_wait_in_the_queue(monkeypatch):
    photo, memory = Photo.of("a.png", png(picture(Emotion.SAD))), Workspace()
    first = memory.answer(photo, FakeAnalyzer())
    full = Admission(at_once=1, waiting=0)
    monkeypatch.setattr(workspaces, "ADMISSION", full)
    with full.admit():
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
        lambda memory, photo, result, fake: memory.add_per_model_answers(photo, result, fake),
        lambda memory, photo, result, fake: memory.explain(photo, result, fake),
        lambda memory, photo, result, fake: memory.draw(photo, result, explained_by=fake),
        lambda memory, photo, result, fake: memory.results.get_admitted(
            "detections", lambda: fake.detect(memory.decode_image(photo))
        ),
    ],
    ids=["per model", "maps", "heatmap", "anything else"],
)
def test_everything_that_runs_networks_waits_in_the_queue_before_decoding(
    monkeypatch, decoded, ask
):
    photo, memory, fake = Photo.of("a.png", png(picture(Emotion.SAD))), Workspace(), FakeAnalyzer()
    result = memory.answer(photo, fake)
    memory.images.clear()
    decoded.clear()
    full = Admission(at_once=1, waiting=0)
    monkeypatch.setattr(workspaces, "ADMISSION", full)
    with full.admit(), pytest.raises(ProjectError, match="Too many"):
        ask(memory, photo, result, fake)
    assert decoded == []
    there = ask(memory, photo, result, fake)
    with full.admit():
        assert ask(memory, photo, result, fake) is there


def test_live_frames_wait_in_the_queue_before_decoding(monkeypatch, decoded):
    frame = base64.b64encode(png(picture(Emotion.SAD))).decode()
    jpeg = f"data:image/jpeg;base64,{frame}"
    sent = {"number": 7, "run": "a", "frames": [{"at": n, "jpeg": jpeg} for n in (1, 2)]}
    session = live_socket.LiveSession(FakeAnalyzer)
    full = Admission(at_once=1, waiting=0)
    monkeypatch.setattr(live_socket, "ADMISSION", full)
    with full.admit():
        result = session.answer(json.dumps(sent))
    assert decoded == []
    assert (result["number"], result["run"]) == (7, "a")
    assert result["problem"].startswith("Too many photos are waiting")
    result = session.answer(json.dumps(sent))
    assert decoded == ["camera", "camera"]
    assert [len(frame["faces"]) for frame in result["frames"]] == [1, 1]


def test_whoever_comes_back_stands_behind_those_who_wait():
    """A film asks for each of its frames, and must not keep a photo waiting."""
    admission, order = Admission(at_once=1, waiting=2), []

    def visit():
        with admission.admit():
            order.append("photo")

    with admission.admit():
        photo = threading.Thread(target=visit)
        photo.start()
        while len(admission._line) < 1:
            threading.Event().wait(0.001)
    with admission.admit():
        order.append("next frame")
    photo.join()
    assert order == ["photo", "next frame"]


def test_camera_that_runs_keeps_its_place_and_the_next_one_is_refused(monkeypatch):
    now = 0.0
    monkeypatch.setattr(admissions.time, "monotonic", lambda: now)
    places = CameraPlaces(2)
    for key in "abab":
        places.keep(key)
    with pytest.raises(ProjectError, match="Too many cameras are running"):
        places.keep("c")
    places.leave("b")
    places.keep("c")
    now = 50.0
    places.keep("c")
    now = 100.0  # of "a" nothing has come for longer than a pause
    places.keep("d")
    with pytest.raises(ProjectError, match="Too many cameras"):
        places.keep("a")
    places.keep("c")


def test_camera_beyond_the_places_is_told_busy_and_loads_nothing(monkeypatch):
    monkeypatch.setattr(live_socket, "CAMERAS", CameraPlaces(0))
    loaded = []
    session = live_socket.LiveSession(lambda: loaded.append(1))
    result = session.answer(json.dumps({"number": 1, "run": "a", "frames": []}))
    assert result["problem"] == "Too many cameras are running. Try again in a minute."
    assert loaded == []


def test_cameras_leave_room_for_photos_in_the_queue():
    assert admissions.MAX_CAMERAS < admissions.MAX_WAITING
