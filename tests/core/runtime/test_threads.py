"""Networks use no more threads than their analyzer is allowed."""

from __future__ import annotations

import pytest

from core import Analyzer, AnalyzerConfig
from core.runtime import openvino_engine
from core.runtime.openvino_engine import _thread_limit, thread_limit


@pytest.fixture
def limits(monkeypatch):
    """Record the thread limits that networks are compiled or loaded with."""
    threads = []
    core = openvino_engine.openvino_core()

    class RecordingCore:
        def __getattr__(self, name):
            made = getattr(core, name)
            if name not in {"compile_model", "import_model"}:
                return made

            def record(model, device, options):
                threads.append(options.get("INFERENCE_NUM_THREADS"))
                return made(model, device, options)

            return record

    monkeypatch.setattr(openvino_engine, "openvino_core", RecordingCore)
    return threads


@pytest.mark.parametrize(("threads", "expected"), [(1, "1"), (None, None)])
def test_thread_limit_reaches_all_networks_of_an_analyzer(limits, threads, expected):
    Analyzer.from_config(AnalyzerConfig(threads=threads))
    assert len(limits) >= 4  # detector, mesh, its face finder, emotions
    assert set(limits) == {expected}


def test_thread_limit_ends_with_its_block():
    with pytest.raises(ValueError, match="wrong"), thread_limit(1):
        raise ValueError("wrong")
    assert _thread_limit.get() is None
