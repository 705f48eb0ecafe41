"""An idle server frees what it can make again."""

from __future__ import annotations

import threading
import time

from frontends.idle import IdleTasks

SHORT_S = 0.2


def test_tasks_run_once_after_each_period_of_activity():
    done = threading.Semaphore(0)
    tasks = []

    def work():
        tasks.append(time.monotonic())
        done.release()

    idle = IdleTasks(SHORT_S, work)
    for visits in (1, 2):
        came = time.monotonic()
        idle.note_activity()
        assert done.acquire(timeout=10)
        assert tasks[-1] - came >= SHORT_S
        time.sleep(3 * SHORT_S)
        assert len(tasks) == visits


def test_tasks_do_not_run_during_activity():
    done = threading.Event()
    idle = IdleTasks(4 * SHORT_S, done.set)
    end = time.monotonic() + 12 * SHORT_S
    while time.monotonic() < end:
        idle.note_activity()
        assert not done.wait(SHORT_S / 4)
    assert done.wait(10)


def test_tasks_run_in_order_in_a_daemon_thread():
    order = []
    done = threading.Event()
    IdleTasks(0.0, lambda: order.append(1), lambda: order.append(2), done.set).note_activity()
    assert done.wait(10)
    assert order == [1, 2]
    assert all(each.daemon for each in threading.enumerate() if each.name == "idle")
