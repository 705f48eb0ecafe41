"""Visits that are over are let go when their time is up, not only when the next one begins."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import cache

from streamlit import runtime

from frontends.rest import let_go

LOOK_EVERY_S = 30.0


@cache
def watch_departures(every_s: float = LOOK_EVERY_S) -> threading.Thread:
    """Look from now on, in a thread that ends with the process."""
    thread = threading.Thread(target=_watch, args=(every_s,), daemon=True, name="departures")
    thread.start()
    return thread


def _watch(every_s: float) -> None:
    while True:
        time.sleep(every_s)
        if let_departed_go():
            let_go()  # a visit refers to itself in many ways


def let_departed_go() -> int:
    """Drop the visits whose `server.disconnectedSessionTTL` has passed; how many those were.

    Streamlit itself drops them when another visit ends. It offers no call for it, so this reaches
    inside; where a release keeps its visits differently, they are dropped as Streamlit does.
    """
    if not runtime.exists():
        return 0
    server = runtime.get_instance()
    dropped: list[object] = []
    done = threading.Event()

    def expire() -> None:
        try:
            for name, visit in server._session_mgr._session_storage._cache.expire():  # noqa: SLF001
                dropped.append(name)
                # Emptied as well: the server's loop holds on to the one it saw last.
                visit.session.shutdown()
                visit.session.session_state.clear()
        finally:
            done.set()

    with suppress(AttributeError, RuntimeError):  # RuntimeError: the server has ended
        # The cache belongs to the event loop's thread.
        server._get_async_objs().eventloop.call_soon_threadsafe(expire)  # noqa: SLF001
        done.wait(LOOK_EVERY_S)
    return len(dropped)
