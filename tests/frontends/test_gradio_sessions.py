"""The demo's server limits how many sessions Gradio remembers, and has the plain API too."""

from __future__ import annotations

import subprocess
import sys

import pytest

# In a process of its own, because Gradio warns in ways that the tests count as errors.
PROGRAM = """
import httpx
from frontends.gradio_app import serve
from frontends.gradio_app.demo import build_demo
from tests.fakes import FakeAnalyzer, picture, png

page = build_demo(FakeAnalyzer())
assert serve.SESSIONS > 2 * page._queue.max_size, "those who wait must be remembered"
serve.SESSIONS = 3
_, address, _ = serve.launch(page, prevent_thread_lock=True, server_name="127.0.0.1")
settings = ["mobilenet_v2", "balanced", "automatic", "balanced", "recommended", "people"]
with httpx.Client(base_url=address, timeout=60) as client:
    for _ in range(5):  # every call is a session of its own
        call = client.post("gradio_api/call/analyze", json={"data": [None, *settings]})
        event = call.raise_for_status().json()["event_id"]
        assert "event: " in client.get(f"gradio_api/call/analyze/{event}").text
    plain = client.post("api/analyze", content=png(picture("sad"))).json()
print("plain:", plain["faces"][0]["top"])
print("remembered:", len(page.state_holder.session_data))
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
    assert "remembered: 3\n" in printed


def test_plain_api_is_at_the_same_address(printed):
    assert "plain: sad\n" in printed
