"""A warning for whoever lets other computers reach a server."""

from __future__ import annotations

import os
import sys

from frontends.request_guard import is_loopback

TOKEN_VARIABLE = "EMOTION_API_TOKEN"  # noqa: S105 - the name of a variable
"""Environment variable with the token that every request for an answer must send."""


def warn_if_reachable(host: str) -> None:
    """Print a warning if other computers can reach a server at ``host``."""
    if host == "localhost" or is_loopback(host):
        return
    who = (
        "Others who know the token"
        if os.environ.get(TOKEN_VARIABLE)
        else f"Everybody who can reach this computer (set {TOKEN_VARIABLE} to ask for a token)"
    )
    sys.stderr.write(
        f"Warning: {who} can send photos to this server. Their photos are not encrypted on the "
        "way unless something in front of it does that.\n"
    )
