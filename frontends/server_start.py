"""Doing something to every server that this process starts."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Sequence

import uvicorn


def run_before_startup(act: Callable[[uvicorn.Server, Sequence[socket.socket]], None]) -> None:
    """Call ``act`` with each uvicorn server that starts from now on and the sockets given to it.

    A server's own settings would not do: `streamlit run` makes its server before it loads the app.
    """
    startup = uvicorn.Server.startup

    @functools.wraps(startup)
    async def start(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        act(server, sockets or ())
        await startup(server, sockets)

    uvicorn.Server.startup = start  # type: ignore[method-assign]
