"""What the demo's tab Live prepares for a visitor's camera, and when."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import gradio as gr
import pytest

from frontends.analyzers import Analyzers
from frontends.gradio_app.demo import build_demo
from tests.fakes import FakeAnalyzer

# Gradio leaves event loops behind wherever a page is made.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def _left_behind() -> Iterator[None]:
    """Collects them while these tests run, so that no later one is blamed."""
    yield
    gc.collect()


@pytest.fixture
def camera(monkeypatch):
    """What the tab Live does when it is shown and when settings change; the configs it loads."""
    loaded = []
    monkeypatch.setattr(Analyzers, "start_loading", lambda _, *configs: loaded.extend(configs))
    page = build_demo(FakeAnalyzer())
    show, follow = (
        next(each.fn for each in page.fns.values() if each.name == name)
        for name in ("open_camera", "follow_settings")
    )
    return show, follow, loaded


def test_other_settings_are_loaded_for_the_camera_of_who_opened_it(camera):
    show, follow, loaded = camera
    result, session = show(None, "mobilenet_v2", "thorough")
    # Relative: a host may show the page below a path of its own.
    assert result == {"path": f"camera/{session.key}"}
    again, same = follow(session, "mobilenet_v2", "balanced", "automatic", "recall")
    assert (again, same) == (result, session)
    assert [(each.preset, each.operating_point) for each in loaded] == [
        ("fast", "balanced"),
        ("fast", "recall"),
    ]
    assert session.analyzer().__class__ is FakeAnalyzer


def test_settings_load_nothing_for_a_camera_that_nobody_opened(camera):
    _, follow, loaded = camera
    unchanged, kept = follow(None, "mobilenet_v2", "thorough")
    assert unchanged == kept == gr.skip()
    assert loaded == []
