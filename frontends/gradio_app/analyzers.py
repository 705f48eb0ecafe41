"""The loaded models, shared by all visitors."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from threading import Lock, Thread

from core import Analyzer, AnalyzerConfig, Preset, ProjectError, prepare_isolated

_KEPT = 2
"""Analyzers in memory; loading another one lets the one used longest ago go."""


class Analyzers:
    """Gives the analyzer for a choice, loading each one once."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[tuple[str, Preset], Analyzer] = OrderedDict()
        self._lock = Lock()

    def get(self, model: str, preset: Preset) -> Analyzer:
        """The analyzer; ProjectError if it cannot be had."""
        key = (model, preset)
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = Analyzer.from_config(AnalyzerConfig(model=model, preset=preset))
            self._loaded.move_to_end(key)
            while len(self._loaded) > _KEPT:
                self._loaded.popitem(last=False)
            return self._loaded[key]

    def prepare(self, model: str, preset: Preset) -> None:
        """Load the analyzer behind the page, so that the first photo waits less."""

        def load() -> None:
            # Whoever asks for an answer is told what is wrong.
            with suppress(ProjectError):
                prepare_isolated()
                self.get(model, preset)

        Thread(target=load, name="load-model", daemon=True).start()


class OneAnalyzer:
    """Gives one analyzer that was made elsewhere, whatever is asked for."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer

    def get(self, model: str, preset: Preset) -> Analyzer:  # noqa: ARG002
        """The analyzer."""
        return self._analyzer

    def prepare(self, model: str, preset: Preset) -> None:
        """Nothing: it is there already."""
