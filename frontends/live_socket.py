"""The camera's own connection to the server that shows its page.

A front redraws its whole page for each message on its own connection, which takes a browser longer
than a frame lasts. This one carries only frames and answers.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core import ProjectError

from .admission import ADMISSION, CAMERAS, MAX_RUNNING, MAX_WAITING
from .film_files import send_file
from .film_view import film_html
from .live import MAX_CHARACTERS, Stream, answer_message, finish_session, refuse_message

if TYPE_CHECKING:
    from core import Analyzer

PATH = "/camera"


@dataclass(slots=True, weakref_slot=True)
class LiveSession:
    """One visitor's camera; it ends, with its connection, once nothing refers to it."""

    analyzer: Callable[[], Analyzer]
    """Returns the analyzer for the chosen settings."""
    folder: str = PATH
    """Where the page finds the connections of all cameras: a path, or one relative to the page."""
    stream: Stream = field(default_factory=Stream)
    key: str = field(default_factory=secrets.token_urlsafe)
    """Opens the connection. Only the visitor's page knows it, so that no other page can connect."""
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        _SESSIONS[self.key] = self

    @property
    def path(self) -> str:
        """Where the page reaches this session: its connection, and below it what was kept."""
        return f"{self.folder}/{self.key}"

    @property
    def kept_html(self) -> str:
        """The timeline of the newest session that was kept, for a page that is opened again."""
        recording = self.stream.recording
        return film_html(recording, self.path) if recording and recording.is_finished else ""

    def answer(self, text: str) -> dict[str, Any]:
        """Return what the page draws for its message, as :func:`.live.answer_message` does.

        For a message with ``finish`` it is what :func:`.live.finish_session` returns.
        """
        if len(text) > MAX_CHARACTERS:
            return refuse_message({}, "The camera's pictures are too large. Choose a smaller size.")
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        # Our page waits for each answer; another sender might not.
        if not self.lock.acquire(blocking=False):
            return refuse_message(message, "The camera's last pictures are still being analyzed.")
        try:
            if isinstance(message, dict) and message.get("finish") is True:
                return finish_session(message, self.stream, self.path)
            CAMERAS.keep(self.key)
            analyzer = self.analyzer()  # loading keeps no photo waiting
            with ADMISSION.admit():
                return answer_message(message, self.stream, analyzer)
        except ProjectError as error:
            return refuse_message(message, f"{error.message} {error.hint}".strip())
        finally:
            self.lock.release()


_SESSIONS: WeakValueDictionary[str, LiveSession] = WeakValueDictionary()


def camera_routes(base: str = "") -> list[BaseRoute]:
    """Return the routes for a server whose pages are below the path ``base``."""
    path = f"{camera_path(base)}/{{key}}"
    return [WebSocketRoute(path, _answer_messages), Route(f"{path}/{{name}}", _send_file)]


def camera_path(base: str = "") -> str:
    """Return the path of all cameras' connections, to which a page adds its key."""
    below = base.strip("/")
    return f"/{below}{PATH}" if below else PATH


@cache
def _threads() -> ThreadPoolExecutor:
    # Waiting visitors hold a thread each, also for a model that loads, so that "busy" is
    # reported at once.
    return ThreadPoolExecutor(MAX_RUNNING + 2 * MAX_WAITING + 1, thread_name_prefix="camera")


def _send_file(request: Request) -> Response:
    session = _SESSIONS.get(request.path_params["key"])
    return send_file(request, session and session.stream.recording, "session")


async def _answer_messages(socket: WebSocket) -> None:
    """Answer one message after another until the page or its visit is gone."""
    key = socket.path_params["key"]
    if key not in _SESSIONS:
        await socket.close()  # refuses the browser, as for an unknown address
        return
    await socket.accept()
    loop = asyncio.get_running_loop()
    try:
        while (sent := await socket.receive())["type"] == "websocket.receive":
            session = _SESSIONS.get(key)
            if session is None:
                await socket.close()
                return
            text = sent.get("text") or ""
            reply = await loop.run_in_executor(_threads(), session.answer, text)
            del session  # do not keep the visit alive while waiting
            await socket.send_text(json.dumps(reply))
    except WebSocketDisconnect:
        pass
    finally:
        CAMERAS.leave(key)
