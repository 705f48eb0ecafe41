"""Refuse every connection to another computer, in a Python that has this folder in PYTHONPATH.

Each attempt is written to standard error for the test that started the process.
"""

from __future__ import annotations

import ipaddress
import socket
import sys

_HERE = ("", "localhost", socket.gethostname())


def _is_another_computer(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if text in _HERE:
        return False
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return True
    return not (address.is_loopback or address.is_unspecified)


def _refuse(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a Unix socket has a path
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if _is_another_computer(host):
        sys.stderr.write(f"way out: {event} {host}\n")
        raise OSError(f"no connection may be opened to {host}")


sys.addaudithook(_refuse)
