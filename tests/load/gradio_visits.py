"""Visits to the Gradio demo, over its API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from core import to_json
from tests.load.photos import Photo
from tests.load.visiting import LONGEST_S, BusyError


class GradioVisit:
    """Uploads a photo, asks for its answer and reads the document."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, photo: Photo) -> str:
        uploaded = await self._client.post(
            "gradio_api/upload", files={"files": (photo.name, photo.content)}
        )
        [path] = uploaded.raise_for_status().json()
        file = {"path": path, "orig_name": photo.name, "meta": {"_type": "gradio.FileData"}}
        call = await self._client.post(
            "gradio_api/call/analyze",
            json={
                "data": [
                    file,
                    "mobilenet_v2",
                    "balanced",
                    "automatic",
                    "balanced",
                    "recommended",
                    "people",
                    "automatic",
                ]
            },
        )
        if call.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise BusyError
        event_id = call.raise_for_status().json()["event_id"]
        reply = await self._client.get(f"gradio_api/call/analyze/{event_id}")
        event, data = _last_event(reply.text)
        if event != "complete":
            return f"{event}: {data}"
        return "" if data[2] == to_json(photo.right) else f"another document: {data[2][:80]}"


@asynccontextmanager
async def gradio_visit(address: str) -> AsyncIterator[GradioVisit]:
    """Open a visit to the demo at ``address``."""
    async with httpx.AsyncClient(base_url=address, timeout=LONGEST_S) as client:
        yield GradioVisit(client)


def _last_event(stream: str) -> tuple[str, Any]:
    kind = data = ""
    for line in stream.splitlines():
        key, _, value = line.partition(": ")
        if key == "event":
            kind = value
        elif key == "data":
            data = value
    return kind, json.loads(data or "null")
