"""Makes the app's server send small files without waiting."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import uvicorn

from frontends.server_start import run_before_startup


def send_answers_at_once() -> None:
    """Turn off Nagle's algorithm on the sockets that are handed to a uvicorn server.

    With it, each of the hundred small files of a page comes 40 ms late: its content waits until the
    browser has confirmed its head. asyncio turns it off, but only for sockets that name their
    protocol, and Streamlit's own does not.
    """
    run_before_startup(_turn_off_delay)


def _turn_off_delay(_server: uvicorn.Server, sockets: Sequence[socket.socket]) -> None:
    for listener in sockets:
        if listener.family in (socket.AF_INET, socket.AF_INET6):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
