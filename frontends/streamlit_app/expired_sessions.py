"""Drop expired sessions when their time is up, not only when another session ends."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import cache

from streamlit import runtime

from frontends.idle import free_memory
from frontends.streamlit_app.saved_files import delete_old_files

CHECK_EVERY_S = 30.0


@cache
def watch_expired_sessions(every_s: float = CHECK_EVERY_S) -> threading.Thread:
    """Check from now on, in a thread that ends with the process."""
    thread = threading.Thread(target=_watch, args=(every_s,), daemon=True, name="expired-sessions")
    thread.start()
    return thread


def _watch(every_s: float) -> None:
    while True:
        time.sleep(every_s)
        dropped = drop_expired_sessions()
        delete_old_files()
        if dropped:
            free_memory()  # a session contains reference cycles


def drop_expired_sessions() -> int:
    """Drop the sessions whose `server.disconnectedSessionTTL` has passed and return their number.

    Streamlit itself drops them only when another session ends and offers no call for it, so this
    uses its private attributes; if a release renames them, Streamlit's own rule applies.
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
                # Emptied as well: the server's loop keeps a reference to the last session.
                visit.session.shutdown()
                visit.session.session_state.clear()
        finally:
            done.set()

    with suppress(AttributeError, RuntimeError):  # RuntimeError: the server has ended
        # The cache belongs to the event loop's thread.
        server._get_async_objs().eventloop.call_soon_threadsafe(expire)  # noqa: SLF001
        done.wait(CHECK_EVERY_S)
    return len(dropped)
