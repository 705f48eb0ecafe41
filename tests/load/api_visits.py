"""Visits to the HTTP API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from core import to_json
from tests.load.photos import Photo
from tests.load.visiting import LONGEST_S, BusyError


class ApiVisit:
    """Sends a photo and reads the document."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, photo: Photo) -> str:
        reply = await self._client.post("api/analyze", files={"file": (photo.name, photo.content)})
        if reply.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise BusyError
        right = to_json(photo.right)
        return "" if reply.text == right else f"another document: {reply.text[:80]}"


@asynccontextmanager
async def api_visit(address: str) -> AsyncIterator[ApiVisit]:
    """Open a visit to the API at ``address``."""
    async with httpx.AsyncClient(base_url=address, timeout=LONGEST_S) as client:
        yield ApiVisit(client)
