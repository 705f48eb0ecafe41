"""Models are loaded one after another, shared where no other network is needed, and kept by use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Lock

import pytest

from core import Analyzer, AnalyzerConfig, Reading
from frontends import analyzers as module
from frontends.admission import MAX_WAITING, BusyError
from frontends.analyzers import MAX_LOADED, MAX_PREPARED, MAX_WANTED, Analyzers
from tests.fakes import FakeAnalyzer

LONG_S = 60
SOON_S = 5
USUAL = AnalyzerConfig()


def other(number: int) -> AnalyzerConfig:
    return AnalyzerConfig(detection_threshold=number / 1000)


class SlowLoads:
    """Loads that wait until they are let go, and what was loaded in which order."""

    def __init__(self) -> None:
        self.configs: list[AnalyzerConfig] = []
        self.most_at_once = 0
        self.go_on = Event()
        self.started = Event()
        self._lock = Lock()
        self._running = 0

    def load(self, config: AnalyzerConfig) -> FakeAnalyzer:
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
            self.configs.append(config)
        self.started.set()
        assert self.go_on.wait(LONG_S)
        with self._lock:
            self._running -= 1
        return FakeAnalyzer(config)


@pytest.fixture
def slow(monkeypatch, made):
    loads = SlowLoads()
    monkeypatch.setattr(Analyzer, "from_config", loads.load)
    yield loads
    loads.go_on.set()


def test_readings_and_levels_share_the_networks(made):
    analyzers = Analyzers()
    usual = analyzers.get(USUAL)
    strict = analyzers.get(AnalyzerConfig(certain_from=0.9))
    label = analyzers.get(AnalyzerConfig(reading=Reading.FER2013, certain_from=0.3))
    assert len(made) == 1
    assert usual.detector is strict.detector is label.detector
    assert (strict.config.certain_from, label.config.reading) == (0.9, Reading.FER2013)
    assert len({each.provenance.config_digest for each in (usual, strict, label)}) == 3
    assert analyzers.get(AnalyzerConfig(certain_from=0.9)) is strict


def test_readings_remembered_are_bounded(made):
    analyzers = Analyzers()
    first = analyzers.get(USUAL)
    for level in range(100):
        analyzers.get(AnalyzerConfig(certain_from=level / 100))
    (entry,) = analyzers._entries.values()
    assert len(entry.readings) == module._MAX_READINGS
    assert analyzers.get(USUAL).detector is first.detector


def test_quick_changes_of_settings_load_only_the_last_ones(slow):
    analyzers = Analyzers()
    for number in range(189):
        analyzers.start_loading(other(number))
    assert slow.started.wait(LONG_S)
    assert len(analyzers._entries) <= MAX_PREPARED + 1
    slow.go_on.set()
    analyzers.get(other(188))
    assert len(slow.configs) <= MAX_PREPARED + 1
    assert slow.most_at_once == 1


def test_answer_does_not_wait_for_models_that_nobody_waits_for(slow):
    analyzers = Analyzers()
    analyzers.start_loading(other(1))
    assert slow.started.wait(LONG_S)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(analyzers.get, USUAL)
        while not any(each.waiting for each in list(analyzers._entries.values())):
            pass
        analyzers.start_loading(other(2), other(3))
        slow.go_on.set()
        answer.result(LONG_S)
    assert slow.configs[1] == USUAL


def test_answers_that_wait_get_their_models_in_the_order_in_which_they_asked(slow):
    analyzers = Analyzers()
    analyzers.start_loading(other(0))
    assert slow.started.wait(LONG_S)
    with ThreadPoolExecutor() as pool:
        for number in (1, 2, 3):
            pool.submit(analyzers.get, other(number))
            while sum(each.waiting for each in list(analyzers._entries.values())) < number:
                pass
        slow.go_on.set()
    assert slow.configs == [other(number) for number in range(4)]


def test_many_one_off_models_do_not_push_out_what_others_use(made):
    analyzers = Analyzers()
    for _ in range(3):
        usual = analyzers.get(USUAL)
    for number in range(50):
        analyzers.get(other(number))
        assert len(analyzers._entries) <= MAX_LOADED + 1
        if number % 5 == 0:
            assert analyzers.get(USUAL) is usual
    assert [each.config for each in made].count(USUAL) == 1


def test_each_model_is_loaded_once_and_six_are_kept(made):
    analyzers = Analyzers()
    configs = [other(number) for number in range(MAX_LOADED + 1)]
    for each in (*configs[:2], *configs[:2], *configs):
        analyzers.get(each)
    assert [each.config for each in made] == configs
    assert len(analyzers._entries) == MAX_LOADED
    assert set(configs[:2]) < set(analyzers._entries)


def test_only_some_models_are_waited_for_at_once(slow):
    analyzers = Analyzers()
    with ThreadPoolExecutor(MAX_WANTED + 1) as pool:
        waiting = [pool.submit(analyzers.get, other(number)) for number in range(MAX_WANTED)]
        while sum(each.waiting for each in list(analyzers._entries.values())) < MAX_WANTED:
            pass
        try:
            with pytest.raises(BusyError, match="models are being loaded"):
                pool.submit(analyzers.get, other(MAX_WANTED)).result(SOON_S)
        finally:
            slow.go_on.set()
        for each in waiting:
            each.result(LONG_S)
    analyzers.get(other(MAX_WANTED))


def test_only_some_answers_wait_for_one_model(slow):
    analyzers = Analyzers()
    with ThreadPoolExecutor(MAX_WAITING + 1) as pool:
        waiting = [pool.submit(analyzers.get, USUAL) for _ in range(MAX_WAITING)]
        while sum(each.waiting for each in list(analyzers._entries.values())) < MAX_WAITING:
            pass
        try:
            with pytest.raises(BusyError):
                pool.submit(analyzers.get, USUAL).result(SOON_S)
        finally:
            slow.go_on.set()
        for each in waiting:
            each.result(LONG_S)
    assert slow.configs == [USUAL]


def test_reading_must_not_change_anything_else():
    analyzer = FakeAnalyzer()
    assert analyzer.with_reading(Reading.PEOPLE) is analyzer
    changed = analyzer.with_reading(Reading.FER2013, 0.4)
    assert changed.config == replace(analyzer.config, reading=Reading.FER2013, certain_from=0.4)
    assert analyzer.config == AnalyzerConfig()
