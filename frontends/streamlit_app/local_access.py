"""Whether a visitor may read folders of the computer that the server runs on."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from threading import Event
from urllib.parse import urlsplit

import streamlit as st
from streamlit import get_option

_LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers of a request that came through another server, so from who knows where."""
_started_by_person = Event()


def allow_folders() -> None:
    """Say that the person at this computer started the server, as `emotion app` does."""
    _started_by_person.set()


def may_read_folders() -> bool:
    """Return whether this visitor sits at this computer and started the server.

    Nobody else may: the server must listen on this computer alone, the connection must begin here,
    the page's address must be this computer's (a foreign name may lead here as well), and no other
    server may stand in between.
    """
    if not _started_by_person.is_set() or get_option("server.address") not in _LOCAL_NAMES:
        return False
    headers = st.context.headers
    return (
        is_loopback(st.context.ip_address)
        and is_local_host(headers.get_all("host"))
        and not any(name in headers for name in _FORWARDED)
    )


def is_loopback(address: str | None) -> bool:
    """Return whether an address is this computer's own; Streamlit has None for the usual ones."""
    if address is None:
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def is_local_host(hosts: Iterable[str]) -> bool:
    """Return whether a request has one host, and that is this computer by one of its own names."""
    try:
        names = [urlsplit(f"//{host}").hostname for host in hosts]
    except ValueError:
        return False
    return len(names) == 1 and names[0] in _LOCAL_NAMES
