"""What the demo remembers of each visitor, for as long as the visitor's page is open.

Gradio remembers a fixed number of callers and forgets the oldest of them, whether its page is open
or not: a few hundred anonymous calls would end another visitor's camera. It also keeps what it
remembers for an hour after a page was closed.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from threading import Thread
from typing import Any, Final

from gradio.state_holder import StateHolder
from starlette.types import ASGIApp, Receive, Scope, Send

AWAY_S: Final = 120.0
"""In which a page that lost its connection may come back; the same as in the app."""
_HEARTBEAT = "/gradio_api/heartbeat/"


class Visits(StateHolder):  # type: ignore[misc]
    """Forget the oldest callers beyond the capacity, but none whose page is open.

    Open pages come on top of the capacity: each holds one connection, of which a server has a
    limited number.
    """

    def __init__(self) -> None:
        super().__init__()
        self._open: Counter[str] = Counter()

    def update(self, session_id: str) -> None:
        with self.lock:
            if session_id in self.session_data:
                self.session_data.move_to_end(session_id)
            others = [each for each in self.session_data if not self._open[each]]
            for oldest in others[: max(0, len(others) - self.capacity)]:
                self._forget(oldest)

    def arrive(self, session_id: str) -> None:
        """Remember that a page opened its connection."""
        with self.lock:
            self._open[session_id] += 1

    def leave(self, session_id: str) -> None:
        """Remember that a page closed its connection."""
        with self.lock:
            self._open[session_id] -= 1
            if not self._open[session_id]:
                del self._open[session_id]

    def forget_if_away(self, session_id: str) -> None:
        """Forget a visitor, with camera and films, whose page is not open."""
        with self.lock:
            is_away = not self._open[session_id] and session_id in self.session_data
            if is_away:
                self._forget(session_id)
        if is_away:
            # What a visit held is part of reference cycles, and its camera ends with it.
            Thread(target=gc.collect, daemon=True).start()

    def _forget(self, session_id: str) -> None:
        self.session_data.pop(session_id, None)
        self.time_last_used.pop(session_id, None)


class OpenPages:
    """ASGI middleware that tells ``visits`` which pages are open, by the connection each keeps."""

    def __init__(self, app: ASGIApp, visits: Visits) -> None:
        self._app, self._visits = app, visits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: Any = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(_HEARTBEAT):
            await self._app(scope, receive, send)
            return
        visitor = path.removeprefix(_HEARTBEAT).rstrip("/")
        self._visits.arrive(visitor)
        try:
            await self._app(scope, receive, send)
        finally:
            self._visits.leave(visitor)
            loop = asyncio.get_running_loop()
            loop.call_later(AWAY_S, self._visits.forget_if_away, visitor)
