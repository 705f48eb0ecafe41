"""The loaded models, shared by all visitors."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock, Thread

from core import Analyzer, AnalyzerConfig, ProjectError, warm_up_reader

_KEPT = 6
"""Analyzers in memory: all four models for a comparison and two more, so that changing a setting
back and forth loads nothing; loading another one lets the one used longest ago go."""


class Analyzers:
    """Gives the analyzer for a choice, loading each one once."""

    def __init__(self) -> None:
        self._loading: OrderedDict[AnalyzerConfig, Future[Analyzer]] = OrderedDict()
        self._lock = Lock()

    def get(self, config: AnalyzerConfig) -> Analyzer:
        """The analyzer, once it is loaded; ProjectError if it cannot be had."""
        with self._lock:
            known = self._loading.get(config)
            future = known or Future()
            self._loading[config] = future
            self._loading.move_to_end(config)
            while len(self._loading) > _KEPT:
                self._loading.popitem(last=False)
        if known is None:
            # Outside of the lock: whoever asks for another one need not wait for this.
            self._load(config, future)
        return future.result()

    def ready(self, config: AnalyzerConfig) -> bool:
        """Whether the analyzer is there already."""
        with self._lock:
            future = self._loading.get(config)
        return future is not None and future.done()

    def prepare(self, configs: Sequence[AnalyzerConfig]) -> None:
        """Load analyzers behind the page, so that the first photo waits less."""

        def load() -> None:
            # The error is shown to the visitor who asks for an answer.
            with suppress(ProjectError):
                warm_up_reader()
            for config in configs:
                with suppress(ProjectError):
                    self.get(config)

        Thread(target=load, name="load-model", daemon=True).start()

    def _load(self, config: AnalyzerConfig, future: Future[Analyzer]) -> None:
        try:
            future.set_result(Analyzer.from_config(config))
        except BaseException as error:
            # Forgotten, so that the next try finds what was mended meanwhile.
            with self._lock:
                self._loading.pop(config, None)
            future.set_exception(error)
            raise


class FixedAnalyzer:
    """Gives one analyzer that was made elsewhere, whatever is asked for."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer

    def get(self, config: AnalyzerConfig) -> Analyzer:  # noqa: ARG002
        """The analyzer."""
        return self._analyzer

    def ready(self, config: AnalyzerConfig) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def prepare(self, configs: Sequence[AnalyzerConfig]) -> None:
        """Nothing: it is there already."""
