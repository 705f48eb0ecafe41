"""The loaded models, shared by all visitors of a front."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core import Analyzer, AnalyzerConfig

PAGE_FIRST_S = 1.5
"""Loading begins this long after it was requested, or as soon as an answer needs the model."""
MAX_LOADED = 6
"""All four models for a comparison and two more, so that changing a setting back and forth loads
nothing; loading another one drops the one used longest ago."""


class Analyzers:
    """Load each analyzer once, in its own thread; with ``fixed`` always return that one."""

    def __init__(self, fixed: Analyzer | None = None) -> None:
        self._fixed: tuple[Future[Analyzer], Event] | None = None
        if fixed is not None:
            self._fixed = (Future(), Event())
            self._fixed[0].set_result(fixed)
        self._loading: OrderedDict[AnalyzerConfig, tuple[Future[Analyzer], Event]] = OrderedDict()
        self._lock = Lock()

    def start_loading(self, *configs: AnalyzerConfig) -> None:
        """Load in the background; an error is raised by :meth:`get`."""
        for config in configs:
            self._find(config)

    def is_loading(self, *configs: AnalyzerConfig) -> bool:
        """Return whether any of ``configs`` is not loaded yet."""
        return not all(self._find(config)[0].done() for config in configs)

    def get(self, config: AnalyzerConfig) -> Analyzer:
        """Return the analyzer once it is loaded; ProjectError if it cannot be loaded."""
        future, wanted = self._find(config)
        wanted.set()
        try:
            return future.result()
        except BaseException:
            # Forget the failure, so that the next try sees what was repaired meanwhile.
            with self._lock:
                self._loading.pop(config, None)
            raise

    def _find(self, config: AnalyzerConfig) -> tuple[Future[Analyzer], Event]:
        if self._fixed is not None:
            return self._fixed
        with self._lock:
            if config not in self._loading:
                wanted = Event()
                executor = ThreadPoolExecutor(1, thread_name_prefix="load-model")
                self._loading[config] = (executor.submit(_load, config, wanted), wanted)
                executor.shutdown(wait=False)
            self._loading.move_to_end(config)
            while len(self._loading) > MAX_LOADED:
                self._loading.popitem(last=False)
            return self._loading[config]


def _load(config: AnalyzerConfig, wanted: Event) -> Analyzer:
    # Importing torch stops all threads for a moment: first let the browser have its page.
    wanted.wait(PAGE_FIRST_S)
    from core import Analyzer, warm_up_reader

    warm_up_reader()
    return Analyzer.from_config(config)
