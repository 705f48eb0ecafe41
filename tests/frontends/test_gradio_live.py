"""What the demo's tab Live loads for a visitor's camera, and when."""

from __future__ import annotations

import gradio as gr
import pytest

from frontends.analyzers import Analyzers
from frontends.gradio_app.demo import build_demo
from tests.fakes import FakeAnalyzer

# Gradio leaves event loops behind for every page that it makes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def camera(monkeypatch):
    """What the tab Live runs when it opens and when settings change, and the configs it loads."""
    loaded = []
    monkeypatch.setattr(Analyzers, "start_loading", lambda _, *configs: loaded.extend(configs))
    page = build_demo(FakeAnalyzer())
    show, follow = (
        next(each.fn for each in page.fns.values() if each.name == name)
        for name in ("open_camera", "follow_settings")
    )
    return show, follow, loaded


def test_changed_settings_are_loaded_for_an_opened_camera(camera):
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


def test_settings_load_nothing_for_an_unopened_camera(camera):
    _, follow, loaded = camera
    unchanged, kept = follow(None, "mobilenet_v2", "thorough")
    assert unchanged == kept == gr.skip()
    assert loaded == []
