"""Makes the app's server send small files without waiting."""

from __future__ import annotations

import functools
import socket

import uvicorn


def send_answers_at_once() -> None:
    """Turn off Nagle's algorithm on the sockets that are handed to a uvicorn server.

    With it, each of the hundred small files of a page comes 40 ms late: its content waits until the
    browser has confirmed its head. asyncio turns it off, but only for sockets that name their
    protocol, and Streamlit's own does not.
    """
    startup = uvicorn.Server.startup

    @functools.wraps(startup)
    async def start(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        for listener in sockets or ():
            if listener.family in (socket.AF_INET, socket.AF_INET6):
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await startup(server, sockets)

    uvicorn.Server.startup = start  # type: ignore[method-assign]
