"""The camera's own connection to the server that shows its page.

A front draws its whole page anew for each message that comes over its own connection, which takes
a browser longer than a frame lasts. Over this one only frames and answers travel.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core import ProjectError

from .admission import ADMISSION, MAX_RUNNING, MAX_WAITING
from .live import MAX_CHARACTERS, Stream, answer_message, refuse_message

if TYPE_CHECKING:
    from core import Analyzer

PATH = "/camera"


@dataclass(slots=True, weakref_slot=True)
class LiveSession:
    """One visitor's camera; over as soon as nobody holds it, and its connection with it."""

    analyzer: Callable[[], Analyzer]
    """Gives the one to answer with; another where other settings are chosen."""
    stream: Stream = field(default_factory=Stream)
    key: str = field(default_factory=secrets.token_urlsafe)
    """Opens the connection. Only the visitor's page knows it, so that no other page can."""
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        _SESSIONS[self.key] = self

    def answer(self, text: str) -> dict[str, Any]:
        """What the page draws for a message of it, as :func:`.live.answer_message` tells."""
        if len(text) > MAX_CHARACTERS:
            return refuse_message({}, "The camera's pictures are too large. Choose a smaller one.")
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        # A page sends nothing before it has its answer: this is for whoever does.
        if not self.lock.acquire(blocking=False):
            return refuse_message(message, "The camera's last pictures are not answered yet.")
        try:
            with ADMISSION.admit():
                return answer_message(message, self.stream, self.analyzer())
        except ProjectError as error:
            return refuse_message(message, f"{error.message} {error.hint}".strip())
        finally:
            self.lock.release()


_SESSIONS: WeakValueDictionary[str, LiveSession] = WeakValueDictionary()


def camera_route(base: str = "") -> WebSocketRoute:
    """The route for a server whose pages lie below the path ``base``."""
    return WebSocketRoute(f"{camera_path(base)}/{{key}}", _talk)


def camera_path(base: str = "") -> str:
    """Where the connections of all cameras begin, for a page to put its key behind."""
    below = base.strip("/")
    return f"/{below}{PATH}" if below else PATH


@cache
def _threads() -> ThreadPoolExecutor:
    # Waiting visitors hold a thread each, so that "busy" is reported at once.
    return ThreadPoolExecutor(MAX_RUNNING + MAX_WAITING + 1, thread_name_prefix="camera")


async def _talk(socket: WebSocket) -> None:
    """Answer one message after another, until the page or its visit has gone."""
    key = socket.path_params["key"]
    if key not in _SESSIONS:
        await socket.close()  # the browser is refused, as for an address that is not there
        return
    await socket.accept()
    loop = asyncio.get_running_loop()
    with suppress(WebSocketDisconnect):
        while (sent := await socket.receive())["type"] == "websocket.receive":
            session = _SESSIONS.get(key)
            if session is None:
                await socket.close()
                return
            text = sent.get("text") or ""
            reply = await loop.run_in_executor(_threads(), session.answer, text)
            del session  # not held while the next message is awaited
            await socket.send_text(json.dumps(reply))
