"""How many processor threads a network may use, told to whatever compiles it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_threads: ContextVar[int | None] = ContextVar("threads", default=None)


@contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Networks compiled inside the block, by this thread, use so many; None sets no limit."""
    before = _threads.set(threads)
    try:
        yield
    finally:
        _threads.reset(before)


def thread_options() -> Mapping[str, str]:
    """The limit as OpenVINO's option; empty where there is none."""
    limit = _threads.get()
    return {} if limit is None else {"INFERENCE_NUM_THREADS": str(limit)}
