"""Keeps the server's folders out of everything that the demo sends.

Gradio names each file of a visitor by its absolute path, in its pages, its replies and its events,
and takes the same path back. This layer shows another folder in its place.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHOWN: Final = "/visitor-files"
"""What visitors see in place of the folder of their files."""
_IN_SCRIPTS = str.maketrans({each: f"\\u{ord(each):04x}" for each in "<>&'"})
"""How Jinja writes these characters in JSON that is part of a page."""
_TEXTS = ("application/json", "text/event-stream", "text/html")
"""What Gradio itself writes; the files of visitors are passed on unchanged."""


class OpaquePaths:
    """ASGI middleware that hides the path of ``folder``."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._path = str(folder)
        spellings = _spell(self._path) | _spell(str(folder.resolve()))
        # The longest first, in case one is part of another.
        self._hidden = [each.encode() for each in sorted(spellings, key=len, reverse=True)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if SHOWN in scope["path"]:
            path = scope["path"].replace(SHOWN, self._path)
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        if "json" in Headers(scope=scope).get("content-type", ""):
            receive = self._reveal(receive)
        await self._app(scope, receive, _HidingSend(send, self._hidden))

    def _reveal(self, receive: Receive) -> Receive:
        """Return what receives the whole body at once, with the path that Gradio knows."""
        is_read = False

        async def receive_revealed() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            parts: list[bytes] = []
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return message
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    break
            is_read = True
            path = json.dumps(self._path)[1:-1].encode()
            body = b"".join(parts).replace(SHOWN.encode(), path)
            return {"type": "http.request", "body": body, "more_body": False}

        return receive_revealed


def _spell(path: str) -> set[str]:
    """Return a path as texts have it: as it is, in JSON, in HTML, in JSON inside HTML."""
    plain = {path, json.dumps(path)[1:-1], json.dumps(path, ensure_ascii=False)[1:-1]}
    in_scripts = {each.translate(_IN_SCRIPTS) for each in plain}
    return plain | in_scripts | {quote(path), escape(path)}


class _HidingSend:
    """Sends a response with every spelling of the folder replaced."""

    def __init__(self, send: Send, hidden: list[bytes]) -> None:
        self._send = send
        self._hidden = hidden
        self._start: Message | None = None
        self._is_text = False
        self._rest = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            self._is_text = kind.startswith(_TEXTS)
            if self._is_text:
                self._start = message  # its length is not known yet
                return
        elif message["type"] == "http.response.body" and self._is_text:
            await self._send_text(message)
            return
        await self._send(message)

    async def _send_text(self, message: Message) -> None:
        more = message.get("more_body", False)
        data = self._rest + message.get("body", b"")
        # No path goes on behind the end of a line, and no event ends before one.
        cut = data.rfind(b"\n") + 1 if more else len(data)
        shown, self._rest = data[:cut], data[cut:]
        for each in self._hidden:
            shown = shown.replace(each, SHOWN.encode())
        if self._start is not None:
            headers = MutableHeaders(raw=self._start["headers"])
            if more:
                del headers["content-length"]
            elif data:  # the answer to HEAD has a length and no body
                headers["content-length"] = str(len(shown))
            await self._send(self._start)
            self._start = None
        await self._send({**message, "body": shown})
