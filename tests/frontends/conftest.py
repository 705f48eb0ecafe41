"""Fronts with a model that answers at once."""

from __future__ import annotations

import gc
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from core import Analyzer
from frontends import analyzers
from tests.fakes import FakeAnalyzer, model_info, untrained

CATALOG = (model_info(), untrained("resnet50"))


@pytest.fixture(scope="module", autouse=True)
def _left_behind() -> Iterator[None]:
    """Collect here the event loops that Gradio's pages and test clients leave behind.

    Otherwise Python finds them during a later test, which is blamed, or even fails in `ast.parse`.
    """
    yield
    if "gradio" in sys.modules or "schemathesis" in sys.modules:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakeAnalyzer]]:
    """The analyzers that the fronts made, all of them fakes."""
    import streamlit as st

    made: list[FakeAnalyzer] = []

    def from_config(config: object = None) -> FakeAnalyzer:
        made.append(FakeAnalyzer(config))
        return made[-1]

    monkeypatch.setattr(Analyzer, "from_config", from_config)
    monkeypatch.setattr(analyzers, "PAGE_FIRST_S", 0)
    st.cache_resource.clear()
    yield made
    # Models that are still loading must not appear in the next test.
    for thread in threading.enumerate():
        if thread.name.startswith("load-model"):
            thread.join()
    st.cache_resource.clear()


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> list:
    """The models that the fronts see; a test may change it."""
    from frontends.gradio_app import demo
    from frontends.streamlit_app.views import about, model_page

    models = list(CATALOG)
    for module in (demo, about, model_page):
        monkeypatch.setattr(module, "model_catalog", lambda: tuple(models))
    return models
