"""Networks of an analyzer that is given few threads use no more."""

from __future__ import annotations

import pytest

from core import Analyzer, AnalyzerConfig
from core.runtime import openvino_engine
from core.runtime.openvino_engine import thread_limit, thread_options


@pytest.fixture
def asked(monkeypatch):
    """The threads that networks were made for, compiled or as they were kept."""
    threads = []
    core = openvino_engine.openvino_core()

    class Noting:
        def __getattr__(self, name):
            made = getattr(core, name)
            if name not in {"compile_model", "import_model"}:
                return made

            def noted(model, device, options):
                threads.append(options.get("INFERENCE_NUM_THREADS"))
                return made(model, device, options)

            return noted

    monkeypatch.setattr(openvino_engine, "openvino_core", Noting)
    return threads


@pytest.mark.parametrize(("threads", "expected"), [(1, "1"), (None, None)])
def test_all_networks_of_an_analyzer_are_made_for_so_many_threads(asked, threads, expected):
    Analyzer.from_config(AnalyzerConfig(threads=threads))
    assert len(asked) >= 4  # detector, mesh, its face finder, emotions
    assert set(asked) == {expected}


def test_limit_ends_with_its_block():
    with pytest.raises(ValueError, match="wrong"), thread_limit(1):
        raise ValueError("wrong")
    assert thread_options() == {}
