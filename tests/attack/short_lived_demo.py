"""Serve the demo as its users start it, with a fake model; uploads are kept for seconds only."""

from __future__ import annotations

from core import Analyzer
from frontends.gradio_app import demo, serve
from tests.fakes import FakeAnalyzer
from tests.frontends.fake_demo import CATALOG

KEEP_S = 10

if __name__ == "__main__":
    Analyzer.from_config = FakeAnalyzer
    demo.model_catalog = lambda: CATALOG
    demo.KEEP_S = KEEP_S
    serve.serve()
