"""Serves the demo with a model that answers at once: `python -m tests.frontends.fake_demo`.

In a process of its own, because Gradio and pandas warn in ways that the tests count as errors.
Prints the address, and ends with its standard input.
"""

from __future__ import annotations

import sys

from frontends.gradio_app import serve
from frontends.gradio_app.demo import build_demo
from tests.fakes import FakeAnalyzer

if __name__ == "__main__":
    page = build_demo(FakeAnalyzer())
    # Gradio looks for a free port from its usual one on.
    _, address, _ = serve.launch(page, prevent_thread_lock=True, server_name="127.0.0.1")
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    page.close()
