"""The demo limits how many sessions Gradio remembers."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own, because Gradio warns in ways that the tests count as errors.
PROGRAM = """
import httpx
from frontends.gradio_app import serve
from frontends.gradio_app.demo import build_demo
from tests.fakes import FakeAnalyzer

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
print("remembered:", len(page.state_holder.session_data))
page.close()
"""


def test_callers_of_long_ago_are_forgotten(root):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert run.returncode == 0, run.stderr
    assert "remembered: 3\n" in run.stdout
