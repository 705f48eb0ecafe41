"""Models load in the background, and the page says so."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Event

import pytest
from streamlit.testing.v1 import AppTest

from core import AnalyzerConfig
from frontends.analyzers import Analyzers
from frontends.streamlit_app import state
from tests.fakes import FakeAnalyzer, model_info

pytestmark = pytest.mark.usefixtures("made")


def open_page(name):
    def page(name):
        from importlib import import_module

        import_module(f"frontends.streamlit_app.views.{name}").page()

    return AppTest.from_function(page, args=(name,), default_timeout=200).run()


def loading_messages(app):
    return [each.value for each in app.caption if "Loading" in each.value]


@pytest.mark.parametrize("page", ["analyze", "compare", "detection_lab", "landmark_lab"])
def test_page_appears_at_once_and_says_while_models_are_loading(page, catalog, monkeypatch):
    catalog[:] = [model_info(), model_info("resnet50")]
    loading: Future[FakeAnalyzer] = Future()
    monkeypatch.setattr(Analyzers, "_find", lambda *_: loading)
    app = open_page(page)
    assert not app.exception
    assert app.title
    assert loading_messages(app) == ["Loading… you can add a photo now."]
    loading.set_result(FakeAnalyzer())
    assert not loading_messages(app.run())


def test_loading_message_reruns_the_page_after_loading_but_not_while_the_page_is_built(
    monkeypatch,
):
    loading: Future[FakeAnalyzer] = Future()
    reruns = []
    monkeypatch.setattr(Analyzers, "_find", lambda *_: loading)
    monkeypatch.setattr(state.st, "rerun", lambda: reruns.append("page"))
    look_again, loading_messages = state._message.__wrapped__, Event()
    loading.set_result(FakeAnalyzer())
    look_again([AnalyzerConfig()], loading_messages)
    assert not reruns
    look_again([AnalyzerConfig()], loading_messages)
    assert reruns == ["page"]
