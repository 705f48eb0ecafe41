"""The loaded models, shared by all visitors of a front."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from threading import Condition, Thread
from typing import TYPE_CHECKING

from core import Reading

from .admission import MAX_WAITING, BusyError

if TYPE_CHECKING:
    from core import Analyzer, AnalyzerConfig

PAGE_FIRST_S = 1.5
"""Loading begins this long after it was requested, or as soon as an answer needs the model."""
MAX_LOADED = 6
"""All four models for a comparison and two more, so that changing a setting back and forth loads
nothing; loading another one drops the least used."""
MAX_WANTED = 8
"""Models that answers may wait for at the same time; loading one takes a second or more."""
MAX_PREPARED = 4
"""Models to load because somebody may need them soon: all of a comparison. Older wishes are
forgotten."""
_MAX_READINGS = 8
"""Readings and levels of a model to remember; one takes no memory to speak of."""


@dataclass(slots=True, eq=False)
class _Entry:
    """An analyzer that is loaded or will be, for every reading and level."""

    loading: Future[Analyzer] = field(default_factory=Future)
    since_s: float = field(default_factory=time.monotonic)
    waiting: int = 0
    """Answers that wait for it."""
    uses: int = 0
    """Answers that used it, halved whenever one is dropped that was used more than once."""
    readings: OrderedDict[AnalyzerConfig, Analyzer] = field(default_factory=OrderedDict)

    @property
    def is_wanted(self) -> bool:
        return self.waiting > 0 and not self.loading.done()


class Analyzers:
    """Load each analyzer once, one after another; with ``fixed`` always return that one.

    What an answer waits for is loaded first. Visitors who change their settings quickly cost no
    more than the models they look at in the end, and cannot push out those that others use.
    """

    def __init__(self, fixed: Analyzer | None = None) -> None:
        self._fixed: Future[Analyzer] | None = None
        if fixed is not None:
            self._fixed = Future()
            self._fixed.set_result(fixed)
        self._entries: OrderedDict[AnalyzerConfig, _Entry] = OrderedDict()
        """In the order in which they were asked for."""
        self._changed = Condition()
        self._is_loading = False
        self._current: _Entry | None = None

    def start_loading(self, *configs: AnalyzerConfig) -> None:
        """Load in the background; an error is raised by :meth:`get`."""
        for config in configs:
            self._find(config)

    def is_loading(self, *configs: AnalyzerConfig) -> bool:
        """Return whether any of ``configs`` is not loaded yet."""
        return not all(self._find(config).done() for config in configs)

    def get(self, config: AnalyzerConfig) -> Analyzer:
        """Return the analyzer once it is loaded.

        BusyError at once if too many others are being waited for; ProjectError if it cannot be
        loaded.
        """
        if self._fixed is not None:
            return self._fixed.result()
        key = _leave_out_reading(config)
        with self._changed:
            entry = self._find_entry(key)
            if not entry.loading.done():
                self._check_waiting(entry)
            entry.waiting += 1
            self._changed.notify_all()
        try:
            analyzer = entry.loading.result()
        except BaseException:
            # Forget the failure, so that the next try sees what was repaired meanwhile.
            with self._changed:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            raise
        finally:
            with self._changed:
                entry.waiting -= 1
        with self._changed:
            entry.uses += 1
            if config not in entry.readings:
                entry.readings[config] = analyzer.with_reading(config.reading, config.certain_from)
            entry.readings.move_to_end(config)
            while len(entry.readings) > _MAX_READINGS:
                entry.readings.popitem(last=False)
            return entry.readings[config]

    def _check_waiting(self, entry: _Entry) -> None:
        """Raise BusyError if no other answer may wait, or not for this one; the lock is held."""
        wanted = [each for each in self._entries.values() if each.is_wanted]
        waiting = sum(each.waiting for each in wanted)
        if waiting >= MAX_WAITING or (len(wanted) >= MAX_WANTED and not entry.waiting):
            raise BusyError("Too many models are being loaded.", hint="Try again in a minute.")

    def _find(self, config: AnalyzerConfig) -> Future[Analyzer]:
        if self._fixed is not None:
            return self._fixed
        with self._changed:
            return self._find_entry(_leave_out_reading(config)).loading

    def _find_entry(self, key: AnalyzerConfig) -> _Entry:
        """Return the entry of ``key``, new if it is missing; the lock is held."""
        if key in self._entries:
            return self._entries[key]
        self._entries[key] = entry = _Entry()
        wishes = [each for each in self._list_pending() if not self._entries[each].waiting]
        for old in wishes[:-MAX_PREPARED]:
            del self._entries[old]
        if not self._is_loading:
            self._is_loading = True
            Thread(target=self._load_pending, daemon=True, name="load-model").start()
        self._changed.notify_all()
        return entry

    def _list_pending(self) -> Iterator[AnalyzerConfig]:
        for key, entry in list(self._entries.items()):
            if not entry.loading.done() and entry is not self._current:
                yield key

    def _load_pending(self) -> None:
        """Load one after another until nothing is left."""
        while True:
            with self._changed:
                key = self._choose()
                if key is None:
                    self._is_loading = False
                    return
                self._current = entry = self._entries[key]
            try:
                entry.loading.set_result(_load(key))
            except BaseException as error:  # noqa: BLE001 - raised by `get`
                entry.loading.set_exception(error)
            with self._changed:
                self._current = None
                self._drop_least_used(newest=key)

    def _choose(self) -> AnalyzerConfig | None:
        """Return what to load next, None if nothing is left; the lock is held."""
        while pending := list(self._list_pending()):
            wanted = [each for each in pending if self._entries[each].waiting]
            if wanted:
                return wanted[0]
            newest = pending[-1]
            # Loading keeps the processor busy for a moment: first let the browser have its page.
            left_s = self._entries[newest].since_s + PAGE_FIRST_S - time.monotonic()
            if left_s <= 0:
                return newest
            self._changed.wait(left_s)
        return None

    def _drop_least_used(self, newest: AnalyzerConfig) -> None:
        loaded = [key for key, entry in self._entries.items() if entry.loading.done()]
        for _ in range(len(loaded) - MAX_LOADED):
            others = [key for key in loaded if key != newest and not self._entries[key].waiting]
            if not others:
                return
            least = min(others, key=lambda key: self._entries[key].uses)
            loaded.remove(least)
            if self._entries.pop(least).uses > 1:
                for entry in self._entries.values():
                    entry.uses //= 2


def _leave_out_reading(config: AnalyzerConfig) -> AnalyzerConfig:
    """Return ``config`` without what needs no other network."""
    return replace(config, reading=Reading.PEOPLE, certain_from=None)


def _load(config: AnalyzerConfig) -> Analyzer:
    from core import Analyzer, warm_up_reader

    warm_up_reader()
    return Analyzer.from_config(config)
