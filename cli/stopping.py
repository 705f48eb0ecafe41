"""Stopping a command from outside: Ctrl-C, a termination signal, a closed terminal."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none

OnSignal = Callable[[int], None]


@contextlib.contextmanager
def handle_stop_signals(on_signal: OnSignal) -> Iterator[None]:
    """Call ``on_signal`` with the number of each signal that asks this process to stop.

    A hangup is left alone where the user chose so (`nohup`). After one, what is printed to the
    closed terminal is dropped, so that no message keeps a file from being completed.
    """
    terminals = _list_terminals()

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == HANGUP:
            _discard(terminals)
        on_signal(number)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if HANGUP is not None and signal.getsignal(HANGUP) is not signal.SIG_IGN:
        numbers.append(HANGUP)
    previous = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class StopBetweenSteps:
    """Turns the first signal into a request, which work in steps looks at between two of them.

    Before ``begin``, and for a second signal, KeyboardInterrupt is raised at once.
    """

    def __init__(self) -> None:
        self._begun = False
        self._requested = False

    def begin(self) -> None:
        """Say that the steps begin: from now on a signal waits for the end of a step."""
        self._begun = True

    def is_requested(self) -> bool:
        """Return whether a signal has come."""
        return self._requested

    def __call__(self, _number: int) -> None:
        if self._requested or not self._begun:
            raise KeyboardInterrupt
        self._requested = True


def _list_terminals() -> list[int]:
    """Return which standard streams are a terminal; once it is closed nobody can tell."""
    return [descriptor for descriptor in (0, 1, 2) if os.isatty(descriptor)]


def _discard(descriptors: Sequence[int]) -> None:
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in descriptors:
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
