"""Bounds on what visitors upload, before it is taken in; all of it stays in memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime

from frontends.connections import NoticedSend
from frontends.films import APP_BOUNDS
from frontends.streamlit_app.workspace import list_held_photos

_FORM_BYTES = 64 * 1024
"""Of a request, beside the file."""
MAX_FILE: Final = APP_BOUNDS.megabytes * 1024**2 + _FORM_BYTES
MAX_VISIT: Final = MAX_FILE
"""Of all that a visit has uploaded and not removed: one film, or photos."""
MAX_SERVER: Final = 1024**3
"""Of all visits together."""
_PATH = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+/?$")


class _Refused(Exception):
    """An upload is more than may be taken in."""


class UploadGuard:
    """ASGI middleware that counts the bytes of uploads while they arrive."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arriving: Counter[str] = Counter()
        """Bytes of unfinished uploads by visit."""
        # A file beyond this would lie in the system's folder for temporary files.
        MultiPartParser.spool_max_size = MAX_FILE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _PATH.search(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] != "PUT":
            await self._app(scope, receive, send)
            return
        visit, taken = found[1], 0
        noticed = NoticedSend(send)

        async def receive_counted() -> Message:
            nonlocal taken
            message = await receive()
            size = len(message.get("body", b""))
            taken += size
            self._arriving[visit] += size
            self._check(visit, taken, 0)
            return message

        try:
            length = Headers(scope=scope).get("content-length", "0")
            if length.isdecimal():
                self._check(visit, int(length), int(length))
            await self._app(scope, receive_counted, noticed)
        except _Refused as refused:
            if not noticed.has_begun:
                answer = PlainTextResponse(f"{refused}\n", 413, {"Connection": "close"})
                await answer(scope, receive, send)
        finally:
            self._arriving[visit] -= taken
            if not self._arriving[visit]:
                del self._arriving[visit]

    def _check(self, visit: str, size: int, more: int) -> None:
        """Refuse an upload of ``size`` bytes, ``more`` of which are still to come."""
        if size > MAX_FILE:
            raise _Refused(f"A file may have {APP_BOUNDS.megabytes} MB.")
        own, others = _list_uploads(visit)
        if _count_bytes(own) + self._arriving[visit] + more > MAX_VISIT:
            raise _Refused("These are too many files at once. Remove some, then add the rest.")
        held = _count_bytes([*own, *others, *list_held_photos()])
        if held + self._arriving.total() + more > MAX_SERVER:
            raise _Refused("Too many visitors are uploading. Try again in a minute.")


def _list_uploads(visit: str) -> tuple[list[bytes], list[bytes]]:
    """Return the files that Streamlit holds for one visit, and for all others."""
    own: list[bytes] = []
    others: list[bytes] = []
    if runtime.exists():
        storage = getattr(runtime.get_instance().uploaded_file_mgr, "file_storage", {})
        for name, files in list(storage.items()):
            (own if name == visit else others).extend(each.data for each in list(files.values()))
    return own, others


def _count_bytes(files: Iterable[bytes]) -> int:
    """Return the memory of ``files``; a photo that two parts of the app hold is there once."""
    return sum({id(each): len(each) for each in files}.values())
