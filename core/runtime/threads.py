"""Thread limit for network compilation, local to a context."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_threads: ContextVar[int | None] = ContextVar("threads", default=None)


@contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Limit the threads of networks that this thread compiles inside the block; None: no limit."""
    before = _threads.set(threads)
    try:
        yield
    finally:
        _threads.reset(before)


def thread_options() -> Mapping[str, str]:
    """Return the limit as OpenVINO's option; empty if there is none."""
    limit = _threads.get()
    return {} if limit is None else {"INFERENCE_NUM_THREADS": str(limit)}
