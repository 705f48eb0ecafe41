"""The camera's own connection: who may use it, what it carries, when it ends."""

from __future__ import annotations

import csv
import gc
import json
import threading
import time
import weakref

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core import Emotion, WeightsMissing
from frontends import live_socket
from frontends.admission import CameraPlaces
from frontends.films import PLOT, TABLE
from frontends.live import MAX_CHARACTERS
from frontends.live_socket import LiveSession, camera_path, camera_routes
from tests.fakes import FakeAnalyzer
from tests.frontends.test_live import group, jpeg


@pytest.fixture
def server():
    with TestClient(Starlette(routes=camera_routes())) as client:
        yield client


@pytest.fixture
def session():
    analyzer = FakeAnalyzer()
    return LiveSession(lambda: analyzer)


def at(session):
    return f"{camera_path()}/{session.key}"


def message(number=1, began=0.0):
    return json.dumps(group(jpeg(Emotion.HAPPY), jpeg(Emotion.HAPPY), number=number, began=began))


def test_groups_of_frames_are_answered_one_after_another(server, session):
    with server.websocket_connect(at(session)) as socket:
        for number in (1, 2):
            socket.send_text(message(number, began=1000.0 * number))
            result = socket.receive_json()
            assert result["number"] == number
            labels = [face["label"] for frame in result["frames"] for face in frame["faces"]]
            assert labels == ["1 · Happy 90 %"] * 2


def test_faces_are_tracked_across_connections_of_the_same_page(server, session):
    for number, expected in ((1, 2), (2, 2)):
        with server.websocket_connect(at(session)) as socket:
            socket.send_text(message(number, began=100.0 * number))
            assert len(socket.receive_json()["frames"]) == expected
    # One detector run for four frames within a quarter of a second.
    assert len(session.analyzer().detector.seen) == 1


@pytest.mark.parametrize("key", ["", "x", "a" * 43, "..%2f"])
def test_visitor_without_the_page_key_is_refused(server, session, key):
    assert session.key != key
    with pytest.raises(WebSocketDisconnect), server.websocket_connect(f"{camera_path()}/{key}"):
        pass


def test_keys_cannot_be_guessed_and_differ():
    keys = {LiveSession(FakeAnalyzer).key for _ in range(50)}
    assert len(keys) == 50
    assert min(map(len, keys)) >= 43  # 256 bits


def test_connection_ends_with_the_visit(server):
    session = LiveSession(FakeAnalyzer)
    address = at(session)
    with server.websocket_connect(address) as socket:
        socket.send_text(message())
        assert socket.receive_json()["frames"]
        ended = weakref.ref(session)
        del session
        # The thread that answered refers to the visit until a moment after its answer.
        while ended() is not None:
            time.sleep(0.01)
        socket.send_text(message(2, began=500.0))
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()
    with pytest.raises(WebSocketDisconnect), server.websocket_connect(address):
        pass


def test_camera_that_ends_frees_its_place(server, session, monkeypatch):
    monkeypatch.setattr(live_socket, "CAMERAS", CameraPlaces(1))
    for each in (session, LiveSession(session.analyzer)):
        with server.websocket_connect(at(each)) as socket:
            socket.send_text(message())
            assert socket.receive_json().get("problem") is None


@pytest.mark.parametrize("sent", ["", "{", "5", "null", '{"number": 3, "frames": []}'])
def test_invalid_message_is_refused_and_the_next_one_answered(server, session, sent):
    with server.websocket_connect(at(session)) as socket:
        socket.send_text(sent)
        assert "Reload" in socket.receive_json()["problem"]
        socket.send_bytes(b"\x00")
        assert "Reload" in socket.receive_json()["problem"]
        socket.send_text(message())
        assert socket.receive_json()["frames"]


def test_pictures_that_are_too_large_are_refused_before_they_are_read(session, monkeypatch):
    monkeypatch.setattr("frontends.live_socket.json.loads", None)
    result = session.answer("x" * (MAX_CHARACTERS + 1))
    assert result["problem"].startswith("The camera's pictures are too large.")


def test_model_that_cannot_be_loaded_is_explained(server):
    def missing():
        raise WeightsMissing("No network is trained.", hint="emotion train")

    session = LiveSession(missing)
    with server.websocket_connect(at(session)) as socket:
        socket.send_text(message(9))
        result = socket.receive_json()
        assert result == {
            "number": 9,
            "run": "a",
            "problem": "No network is trained. emotion train",
        }


def test_changed_settings_apply_to_the_next_frames(server, session):
    with server.websocket_connect(at(session)) as socket:
        socket.send_text(message())
        socket.receive_json()
        other = FakeAnalyzer()
        session.analyzer = lambda: other
        socket.send_text(message(2, began=2000.0))
        socket.receive_json()
    assert len(other.detector.seen) == 1


def test_two_messages_at_once_are_not_answered(session):
    waiting, go_on = threading.Event(), threading.Event()
    analyzer = session.analyzer

    def slow():
        waiting.set()
        go_on.wait(10)
        return analyzer()

    session.analyzer = slow
    result = []
    first = threading.Thread(target=lambda: result.append(session.answer(message())))
    first.start()
    assert waiting.wait(10)
    assert "still being analyzed" in session.answer(message(2))["problem"]
    go_on.set()
    first.join()
    assert result[0]["frames"]
    assert session.answer(message(3, began=900.0))["frames"]


@pytest.mark.parametrize(("base", "path"), [("", "/camera"), ("a/b", "/a/b/camera")])
def test_path_is_below_that_of_the_pages(base, path):
    assert camera_path(base) == camera_path(f"/{base}/") == path
    assert [each.path for each in camera_routes(base)] == [
        f"{path}/{{key}}",
        f"{path}/{{key}}/{{name}}",
    ]


@pytest.mark.parametrize("text", ["[" * 100_000, "", "1e999", "NaN", '{"frames": {}}'])
def test_odd_message_gets_a_reason_and_the_connection_goes_on(server, session, text):
    with server.websocket_connect(at(session)) as socket:
        socket.send_text(text)
        assert socket.receive_json()["problem"]
        socket.send_text(message())
        assert socket.receive_json()["frames"]


def keep(session, server, *, groups=2):
    """Let the server answer some groups of two frames whose answers are kept."""
    with server.websocket_connect(at(session)) as socket:
        for number in range(groups):
            some = json.loads(message(number, began=5000 + 100.0 * number))
            socket.send_text(json.dumps({**some, "keep": True}))
            assert socket.receive_json()["frames"]


@pytest.mark.parametrize("depth", [900, 960, 985])
def test_deep_nesting_in_a_message_is_not_sent_back(server, session, depth):
    nested = "[" * depth + "]" * depth
    with server.websocket_connect(at(session)) as socket:
        socket.send_text(f'{{"number": {nested}, "run": {nested}, "frames": []}}')
        reply = socket.receive_json()
    assert (reply["number"], reply["run"]) == (None, None)
    assert reply["problem"]


def finish(session, server):
    """Return the reply to a page whose session ends."""
    with server.websocket_connect(at(session)) as socket:
        socket.send_text(json.dumps({"run": "a", "finish": True}))
        return socket.receive_json()


def test_kept_session_has_a_timeline_a_table_and_a_plot(server, session):
    keep(session, server)
    html = finish(session, server)["session"]
    assert html == session.kept_html
    assert "0.2 s, 4 frames, 1 face" in html
    assert "<video" not in html
    assert "Click a moment" not in html
    for name in (TABLE, PLOT):
        assert f'href="{at(session)}/{name}?save"' in html
        assert server.get(f"{at(session)}/{name}").status_code == 200
    rows = server.get(f"{at(session)}/{TABLE}").content.decode("utf-8-sig").splitlines()
    times = [row["time_s"] for row in csv.DictReader(rows)]
    assert list(map(float, times)) == pytest.approx([0, 0.04, 0.1, 0.14])


def test_nothing_is_kept_of_a_session_unless_the_page_asks(server, session):
    with server.websocket_connect(at(session)) as socket:
        socket.send_text(message())
        socket.receive_json()
    assert finish(session, server)["session"] == ""
    assert session.kept_html == ""
    assert server.get(f"{at(session)}/{TABLE}").status_code == 404


def test_kept_session_ends_with_the_visit(server):
    session = LiveSession(FakeAnalyzer)
    keep(session, server)
    finish(session, server)
    folder, address = session.stream.recording._folder, f"{at(session)}/{TABLE}"
    assert folder.is_dir()
    del session
    gc.collect()
    assert not folder.exists()
    assert server.get(address).status_code == 404


def test_kept_session_has_a_limit_and_says_so(server, session, monkeypatch):
    monkeypatch.setattr("frontends.live_recording.MAX_ROWS", 3)
    keep(session, server, groups=4)
    assert "Only the first 3 answers were kept." in finish(session, server)["session"]
    table = server.get(f"{at(session)}/{TABLE}").text
    assert len(table.splitlines()) == 1 + 3


def test_session_that_was_started_again_is_a_new_one(server, session):
    keep(session, server)
    other = group(jpeg(Emotion.SAD), run="b", began=9000)
    with server.websocket_connect(at(session)) as socket:
        socket.send_text(json.dumps({**other, "keep": True}))
        socket.receive_json()
    html = finish(session, server)["session"]
    assert "1 frame, 1 face" in html
    assert "Happy" not in html
