"""Serve the demo with models that answer at once: `python -m tests.frontends.fake_demo`.

In a process of its own, because Gradio and pandas warn in ways that the tests count as errors.
Prints the address, and ends with its standard input.
"""

from __future__ import annotations

import os
import sys

from core import Analyzer
from frontends.gradio_app import demo, serve
from tests.fakes import FakeAnalyzer, model_info

CATALOG = (model_info(), model_info("resnet50"), model_info("ensemble"))

if __name__ == "__main__":
    Analyzer.from_config = FakeAnalyzer
    demo.model_catalog = lambda: CATALOG
    demo.KEEP_S = int(os.environ.get("PHOTOS_KEPT_S", demo.KEEP_S))
    page = demo.build_demo()
    # Gradio looks for a free port, starting at its usual one.
    _, address, _ = serve.launch(page, prevent_thread_lock=True, server_name="127.0.0.1")
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    page.close()
