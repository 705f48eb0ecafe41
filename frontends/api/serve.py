"""Starting the API alone, without any page."""

from __future__ import annotations

import argparse
import os
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount

from core import AnalyzerConfig, share_heaps
from frontends.analyzers import Analyzers
from frontends.api.exposure import warn_if_reachable
from frontends.api.routes import PATH, build_api
from frontends.connections import SlowBodyGuard, limit_server
from frontends.failures import FailureGuard, shorten_tracebacks
from frontends.request_guard import RequestGuard

ORIGINS_VARIABLE = "EMOTION_API_ORIGINS"
"""Environment variable with the addresses of pages that may read answers, separated by commas."""


def serve() -> None:
    """Serve the API until interrupted."""
    parser = argparse.ArgumentParser(prog="emotion serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    share_heaps()
    limit_server()
    shorten_tracebacks()
    warn_if_reachable(options.host)
    host = f"[{options.host}]" if ":" in options.host else options.host
    sys.stderr.write(f"The API is at http://{host}:{options.port}{PATH} (Ctrl-C ends it).\n")
    uvicorn.run(
        build_server(Analyzers()),
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,  # names of photos may be in the addresses
        server_header=False,
    )


def build_server(analyzers: Analyzers) -> Starlette:
    """Return the server with the API and nothing else."""
    analyzers.start_loading(AnalyzerConfig())
    origins = [each.strip() for each in os.environ.get(ORIGINS_VARIABLE, "").split(",")]
    allowed = list(filter(None, origins))
    cors = Middleware(
        CORSMiddleware,
        allow_origins=allowed,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
    )
    guards = [
        Middleware(RequestGuard, allowed),
        Middleware(SlowBodyGuard),
        Middleware(FailureGuard),
    ]
    return Starlette(
        routes=[Mount(PATH, build_api(analyzers))],
        middleware=[*guards, *([cors] if allowed else [])],
    )
