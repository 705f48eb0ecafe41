"""The demo's server keeps open pages, limits how many callers it remembers, and has the API too."""

from __future__ import annotations

import subprocess
import sys

import pytest

# In a process of its own, because Gradio warns in ways that the tests count as errors.
PROGRAM = """
import json, time
import httpx
from websockets.sync.client import connect
from frontends.gradio_app import serve, visits
from frontends.gradio_app.demo import build_demo
from tests.fakes import FakeAnalyzer, picture, png

page = build_demo(FakeAnalyzer())
assert serve.SESSIONS > 2 * page._queue.max_size, "those who wait must be remembered"
serve.SESSIONS = 3
visits.AWAY_S = 0.0
_, address, _ = serve.launch(page, prevent_thread_lock=True, server_name="127.0.0.1")
settings = ["mobilenet_v2", "balanced", "automatic", "balanced", "recommended", "people"]
with httpx.Client(base_url=address, timeout=60) as client:
    page_open = client.stream("GET", "gradio_api/heartbeat/visitor")
    beats = page_open.__enter__().iter_text()
    next(beats)
    open_camera = next(key for key, each in page.fns.items() if each.name == "open_camera")
    sent = {"fn_index": open_camera, "data": [None, *settings], "session_hash": "visitor"}
    opened = client.post("gradio_api/run/predict", json=sent).raise_for_status().json()
    camera = connect(address.replace("http", "ws") + opened["data"][0]["path"])
    for _ in range(5):  # every call is a session of its own
        call = client.post("gradio_api/call/analyze", json={"data": [None, *settings]})
        event = call.raise_for_status().json()["event_id"]
        assert "event: " in client.get(f"gradio_api/call/analyze/{event}").text
    plain = client.post("api/analyze", content=png(picture("sad"))).json()
    print("plain:", plain["faces"][0]["top"])
    camera.send(json.dumps({"number": 1, "run": "a", "frames": []}))
    print("camera:", json.loads(camera.recv(30))["problem"])
    print("remembered:", len(page.state_holder.session_data))
    page_open.__exit__(None, None, None)
    end = time.monotonic() + 30
    while "visitor" in page.state_holder and time.monotonic() < end:
        time.sleep(0.05)
    try:
        while time.monotonic() < end:  # a message on its way is still answered
            camera.send(json.dumps({"number": 2, "run": "a", "frames": []}))
            camera.recv(30)
            time.sleep(0.05)
    except Exception as error:
        print("after the visit:", type(error).__name__)
page.close()
"""


@pytest.fixture(scope="module")
def printed(root):
    """Return what the program prints."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_callers_of_long_ago_are_forgotten(printed):
    assert "remembered: 4\n" in printed  # and the one whose page is open


def test_open_page_keeps_its_camera_whoever_else_calls(printed):
    assert "camera: The page sent no picture. Reload the page.\n" in printed


def test_camera_ends_once_its_page_is_closed(printed):
    assert "after the visit: ConnectionClosed" in printed


def test_plain_api_is_at_the_same_address(printed):
    assert "plain: sad\n" in printed
