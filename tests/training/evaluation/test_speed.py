"""Only the task itself is timed, without after-effects of the previous task."""

from __future__ import annotations

import pytest

from training.evaluation import speed


class Machine:
    """A fake clock that work advances, more while threads spin or other weights are cached."""

    def __init__(self):
        self.now, self.spins_until, self.cached = 0.0, 0.0, ""

    def rest(self, seconds):
        self.now += seconds

    def task(self, name, seconds, spins=0.0):
        def work():
            spinning, cold = self.now < self.spins_until, self.cached != name
            self.now += seconds * (8 if spinning else 1) * (2 if cold else 1)
            self.spins_until, self.cached = max(self.spins_until, self.now + spins), name

        return work


@pytest.mark.parametrize("spins", [0.0, 0.04])
def test_single_face_is_timed_after_a_pause_and_a_warm_up_call(monkeypatch, spins):
    machine = Machine()
    monkeypatch.setattr(speed.time, "sleep", machine.rest)
    monkeypatch.setattr(speed.time, "perf_counter", lambda: machine.now)
    many, one = ("m", "torch", "many"), ("m", "openvino", "one")
    tasks = {many: machine.task("torch", 0.1, spins), one: machine.task("openvino", 0.001)}
    taken = speed._measure_medians(tasks, 3)
    assert taken[one] == pytest.approx(0.001)
