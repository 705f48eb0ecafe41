"""Which of the framework's addresses the demo answers: those its page and its API need.

Gradio brings more with every version, among them some that keep what a visitor sends. What is not
listed here is refused, and a test fails for an address that is in neither list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import MAX_FILE_BYTES
from frontends.connections import NoticedSend

_API: Final = "/api/{path:path}"
"""Our own API, which bounds its requests itself."""
ALLOWED: Final = (
    "/",
    *("/config", "/favicon.ico", "/manifest.json", "/pwa_icon", "/pwa_icon/{size}", "/robots.txt"),
    *("/assets/{path:path}", "/static/{path:path}", "/svelte/{path:path}", "/theme.css"),
    *(
        f"/gradio_api/{name}"
        for name in (
            *("api/{api_name}", "call/{api_name}", "call/{api_name}/{event_id}"),
            *("call/v2/{api_name}", "call/v2/{api_name}/{event_id}", "run/{api_name}"),
            *("app_id", "cancel", "heartbeat/{session_hash}", "info", "openapi.json", "reset"),
            *("file/{path:path}", "file={path_or_url:path}", "upload", "upload_progress"),
            *("queue/data", "queue/join", "queue/status", "startup-events", "theme.css"),
        )
    ),
    *("/camera/{key}", "/camera/{key}/{name}", "/film/{key}/{name}", _API),
)
REFUSED: Final = (
    *("/login", "/logout", "/monitoring", "/monitoring/summary", "/monitoring/{key}"),
    "/openapi.json",
    *(
        f"/gradio_api/{name}"
        for name in (
            *("component_server", "deep_link", "dev/reload", "login_check", "process_recording"),
            "custom_component/{id}/{environment}/{type}/{file_name}",
            *("proxy={url_path:path}", "run-history/buckets", "run-history/connect", "runs"),
            "run-history/records/{endpoint}/{record_id}/assets/{asset_id}",
            *("run-history/records", "stream/{event_id}", "stream/{event_id}/close", "token"),
            "stream/{session_hash}/{run}/{component_id}/playlist-file",
            "stream/{session_hash}/{run}/{component_id}/playlist.m3u8",
            "stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}",
            *("undo-vibe-edit", "user", "vibe-code", "vibe-edit", "vibe-starter-queries"),
        )
    ),
)
"""Accounts, statistics, streams, editing of the demo by its visitors, and what keeps uploads."""

_UPLOAD: Final = "/gradio_api/upload"
_MAX_UPLOAD_BYTES = 5 * MAX_FILE_BYTES
"""Of all files in one request."""
_MAX_PATH = 1000
"""Characters of an address: our longest have about 200."""
_MAX_CALL_BYTES = 1024**2
"""Of every other request: a call names files that were uploaded before."""


def _compile(addresses: tuple[str, ...]) -> re.Pattern[str]:
    parts = (
        re.sub(r"\\{\w+:path\\}", ".*", re.sub(r"\\{\w+\\}", "[^/]*", re.escape(each)))
        for each in addresses
    )
    return re.compile(f"(?:{'|'.join(parts)})/?")


_NO_JSON = "Send JSON, as Content-Type: application/json.\n"
_NO_CALL = "This page has no such call.\n"
_ANSWERED = _compile(ALLOWED)


class _TooLarge(Exception):
    """A request has more bytes than it may."""


class EndpointFilter:
    """ASGI middleware that refuses other addresses, calls that make no sense, too large requests.

    The framework fails on such calls, with a traceback in the log for each.
    """

    def __init__(self, app: ASGIApp, functions: Collection[int] = ()) -> None:
        """``functions`` are the numbers by which a page may call what it has; none means any."""
        self._app = app
        self._functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (
            len(scope["path"]) <= _MAX_PATH and _ANSWERED.fullmatch(scope["path"])
        ):
            await self._answer(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse("There is nothing here.\n", 404)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"].rstrip("/") == _UPLOAD
        left = _MAX_UPLOAD_BYTES if is_upload else _MAX_CALL_BYTES
        if int(Headers(scope=scope).get("content-length", "0")) > left:
            await _refuse_size(scope, receive, send)
            return
        if scope["method"] == "POST" and not is_upload:
            await self._answer_call(scope, receive, send)
            return

        async def receive_counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise _TooLarge
            return message

        noticed = NoticedSend(send, lambda: left < 0)
        with suppress(_TooLarge):
            await self._app(scope, receive_counted, noticed)
        if left < 0 and not noticed.has_begun:
            await _refuse_size(scope, receive, send)

    async def _answer_call(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A browser lets every website send a form.
        if not _is_json(scope):
            await PlainTextResponse(_NO_JSON, 415)(scope, receive, send)
            return
        body = await _read_call(receive)
        if len(body) > _MAX_CALL_BYTES:
            await _refuse_size(scope, receive, send)
        elif not self._makes_sense(body):
            await PlainTextResponse(_NO_CALL, 400)(scope, receive, send)
        else:
            await self._app(scope, _receive_again(body, receive), send)

    def _makes_sense(self, body: bytes) -> bool:
        """Return whether ``body`` is an object that can be sent back, for a known function."""
        try:
            call = json.loads(body)
            json.dumps(call, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):  # also numbers and characters that JSON lacks
            return False
        if not isinstance(call, dict):
            return False
        number = call.get("fn_index")
        return not self._functions or number is None or number in list(self._functions)


async def _read_call(receive: Receive) -> bytes:
    """Return the body of a call, or so much of it that it is too large."""
    body, more = b"", True
    while more and len(body) <= _MAX_CALL_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _receive_again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was received already, then what follows it."""
    is_given = False

    async def give() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


def _is_json(scope: Scope) -> bool:
    kind = Headers(scope=scope).get("content-type", "")
    return kind.partition(";")[0].strip().lower() == "application/json"


async def _refuse_size(scope: Scope, receive: Receive, send: Send) -> None:
    answer = PlainTextResponse("This is more than the demo takes at once.\n", 413)
    await answer(scope, receive, send)
