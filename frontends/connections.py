"""Limits on connections and on the log, the same for the app, the demo and the API.

All three run on uvicorn, which waits for a request as long as it takes, takes heads of any length
and as many connections as the system has descriptors; beyond those, every attempt is written to the
log.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from frontends.server_start import run_before_startup

MAX_CONNECTIONS: Final = 500
"""A visitor's browser keeps up to seven."""
HEAD_S: Final = 10.0
"""For the head of a request, from the connection or from its first byte."""
MAX_HEAD_BYTES: Final = 64 * 1024
BODY_PAUSE_S: Final = 20.0
"""Between two parts of a request's body."""
LOG_BYTES_PER_MINUTE: Final = 64 * 1024
_DESCRIPTORS = 4096
"""For connections that are accepted at once, before any of them can be refused."""

_Protocol: Any = AutoHTTPProtocol  # one of two, neither of which mypy knows


class LimitedProtocol(_Protocol):  # type: ignore[misc]
    """uvicorn's HTTP/1.1 with limits on how many connections wait, how long, and for how much."""

    _waiting: dict[LimitedProtocol, None] = {}  # noqa: RUF012 - of all connections, oldest first
    """Those whose request has not been read yet."""
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            # Whoever sends nothing makes room; if all are at work, the new one has to go.
            next(iter(self._waiting), self).drop()
        if not transport.is_closing():
            self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        if self._timer is None and self._is_between_requests():
            self._wait_for_head()
        super().data_received(data)
        if not self._is_between_requests():
            self._stop_waiting()
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def drop(self) -> None:
        """End the connection at once."""
        self._stop_waiting()
        self.transport.abort()

    def _is_between_requests(self) -> bool:
        is_http = self in self.connections  # and no websocket by now
        return is_http and (self.cycle is None or self.cycle.response_complete)

    def _wait_for_head(self) -> None:
        self._head_bytes = 0
        self._waiting[self] = None
        self._timer = self.loop.call_later(HEAD_S, self.drop)

    def _stop_waiting(self) -> None:
        self._waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class NoticedSend:
    """Sends on, and knows whether the answer has begun.

    Once ``is_refused`` says so, an answer that has not begun is dropped: it is what the app says of
    a request that it did not get whole.
    """

    def __init__(self, send: Send, is_refused: Callable[[], bool] = lambda: False) -> None:
        self.has_begun = False
        self._send = send
        self._is_refused = is_refused

    async def __call__(self, message: Message) -> None:
        if self.has_begun or not self._is_refused():
            self.has_begun = True
            await self._send(message)


class SlowBodyGuard:
    """ASGI middleware that refuses a request whose body pauses for too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_complete = is_late = False

        async def receive_in_time() -> Message:
            nonlocal is_complete, is_late
            if is_complete:
                return await receive()  # waits until the visitor is gone
            try:
                async with asyncio.timeout(BODY_PAUSE_S):
                    message = await receive()
            except TimeoutError:
                is_late = is_complete = True
                return {"type": "http.disconnect"}
            is_complete = not message.get("more_body", False)
            return message

        noticed = NoticedSend(send, lambda: is_late)
        try:
            await self._app(scope, receive_in_time, noticed)
        except Exception:
            if not is_late:
                raise
        if is_late and not noticed.has_begun:
            answer = PlainTextResponse("The request took too long.\n", 408, {"Connection": "close"})
            await answer(scope, receive, send)


class LimitedLog:
    """Standard error with so much for each minute; then a line says how much was left out."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._minute = -1
        self._left = 0
        self._left_out = 0

    def write(self, text: str) -> int:
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            if self._left_out:
                self._stream.write(f"({self._left_out:,} more characters were left out here.)\n")
            self._minute, self._left, self._left_out = minute, LOG_BYTES_PER_MINUTE, 0
        if self._left > 0:
            self._left -= len(text)
            self._stream.write(text)
        else:
            self._left_out += len(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def limit_server() -> None:
    """Set these limits for every server that this process starts from now on."""
    _raise_file_limit()
    if isinstance(sys.stderr, LimitedLog):
        return
    run_before_startup(_limit_protocol)
    before, sys.stderr = sys.stderr, LimitedLog(sys.stderr)  # type: ignore[assignment]
    for name in (None, *logging.root.manager.loggerDict):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is before:
                handler.setStream(sys.stderr)


def _limit_protocol(server: uvicorn.Server, _sockets: Sequence[socket.socket]) -> None:
    server.config.http_protocol_class = LimitedProtocol


def _raise_file_limit() -> None:
    with suppress(ImportError, OSError, ValueError):  # Windows has none
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
