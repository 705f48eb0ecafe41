"""Refuses requests that another website makes a visitor's browser send.

A browser lets any page open a connection to a server on its visitor's own computer, or send it a
form, and a name that an attacker controls can be pointed at that computer (DNS rebinding). Both
show in the headers that a browser sets itself.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS_VARIABLE: Final = "EMOTION_HOSTS"
"""Names, separated by commas, under which a proxy on this computer serves a page."""
_READ_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})
_WRONG_HOST = (
    "This page is for this computer alone: open it as http://localhost. To serve it under another "
    f"name, start it with {HOSTS_VARIABLE}=that.name.\n"
)
_WRONG_ORIGIN = "Requests that another website sends are refused. Open this page by its address.\n"


class RequestGuard:
    """ASGI middleware for both pages and the API."""

    def __init__(self, app: ASGIApp, origins: Collection[str] = ()) -> None:
        """``origins`` are other websites that may send requests, as in ``https://example.org``."""
        self._app = app
        self._origins = frozenset(origins)
        names = os.environ.get(HOSTS_VARIABLE, "").split(",")
        self._hosts = {"localhost", *(name.strip().lower() for name in names)} - {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._find_problem(scope) if scope["type"] in {"http", "websocket"} else ""
        if not problem:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse(problem, 403)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # refused with status 403

    def _find_problem(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        server = scope.get("server") or ("", None)
        if is_loopback(server[0]) and not self._is_known(headers.get("host", "")):
            return _WRONG_HOST
        origin = headers.get("origin")
        if (
            origin is None
            or origin in self._origins
            or (scope["type"] == "http" and scope["method"] in _READ_ONLY)
        ):
            return ""
        # A page elsewhere can set neither of these two.
        ours = {headers.get("host"), headers.get("x-forwarded-host")}
        try:
            return "" if urlsplit(origin).netloc in ours - {None, ""} else _WRONG_ORIGIN
        except ValueError:  # it is no address
            return _WRONG_ORIGIN

    def _is_known(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        return name in self._hosts or name.endswith(".localhost") or is_loopback(name)


def is_loopback(address: str) -> bool:
    """Return whether ``address`` is one of this computer's own; False for a name."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
