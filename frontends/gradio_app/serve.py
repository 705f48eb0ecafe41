"""Starting the demo's server, with the settings that keep visitors' photos private."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Mount

from frontends.api.exposure import warn_if_reachable
from frontends.api.routes import PATH, build_api
from frontends.cards import FACE_MARKS_FILE, STYLE_FILE
from frontends.connections import SlowBodyGuard, limit_server
from frontends.failures import FailureGuard, shorten_tracebacks
from frontends.film_files import film_route
from frontends.gradio_app.endpoints import EndpointFilter
from frontends.gradio_app.opaque_paths import OpaquePaths
from frontends.gradio_app.upload_sweep import UploadSweep
from frontends.live_socket import camera_routes
from frontends.private_folders import delete_all_folders, make_private_folder
from frontends.request_guard import RequestGuard

if TYPE_CHECKING:
    import gradio as gr

_STYLE = Path(__file__).with_name("style.css")
_HEAD = Path(__file__).with_name("head.html")
SESSIONS = 256
"""Calls to remember besides the pages that are open. Gradio counts every call of its API as a
visit, keeps the page's configuration for each, and would remember ten thousand."""


def serve() -> None:
    """Serve the page until interrupted, at the address of GRADIO_SERVER_NAME and _PORT."""
    # Before the import of Gradio, which reads both.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # The demo calls itself when it starts, and nobody else ever: no proxy is asked.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    if not os.environ.get("GRADIO_SERVER_PORT", "0").isdecimal():
        sys.exit("GRADIO_SERVER_PORT must be a whole number.")
    # So that `kill` cleans up too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # A folder that no other user of the computer can look into, deleted at the end. The next
    # server deletes that of one that was killed.
    folder = make_private_folder()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    try:
        from frontends.gradio_app.demo import KEEP_S, build_demo

        page = build_demo()
        UploadSweep(folder, KEEP_S)
        warn_if_reachable(os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
        _, address, _ = launch(page, inbrowser=_has_desktop(), prevent_thread_lock=True)
        sys.stderr.write(f"The demo is at {address} (Ctrl-C ends it).\n")
        page.block_thread()
    finally:
        delete_all_folders()


def launch(page: gr.Blocks, **options: Any) -> tuple[Any, str, str]:
    """Start the server; ``options`` are those of ``gradio.Blocks.launch``."""
    import gradio as gr
    from gradio import queueing, routes
    from gradio.utils import get_upload_folder
    from starlette.middleware import Middleware

    from core import MAX_FILE_BYTES, share_heaps
    from frontends.gradio_app.visits import OpenPages, Visits

    visits = Visits()
    share_heaps()
    limit_server()
    shorten_tracebacks(queueing, routes)
    theme = gr.themes.Default(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    # The theme's small print is too faint: 2.6 to 1; WCAG AA requires 4.5.
    theme.set(
        **{
            f"{name}_text_color{end}{scheme}": shade
            for name, end in (("body", "_subdued"), ("block_info", ""), ("block_label", ""))
            for scheme, shade in (("", "*neutral_600"), ("_dark", "*neutral_300"))
        }
    )
    settings: dict[str, Any] = {
        "show_error": False,  # our own messages are shown anyway, without details
        "max_file_size": MAX_FILE_BYTES,
        "head_paths": [_HEAD],
        "head": f"<script>(() => {{{FACE_MARKS_FILE.read_text(encoding='utf-8')}}})();</script>",
        "state_session_capacity": SESSIONS,
        "enable_monitoring": False,
        "run_history": False,  # it would keep visitors' photos in their browsers
        "ssr_mode": False,
        "share": False,
        "quiet": True,
        "footer_links": ["api"],
        "theme": theme,
        "css_paths": [STYLE_FILE, _STYLE],
        "app_kwargs": {
            "middleware": [
                Middleware(RequestGuard),
                Middleware(SlowBodyGuard),
                Middleware(FailureGuard),
                Middleware(EndpointFilter, frozenset(page.fns)),
                Middleware(OpenPages, visits),
                Middleware(OpaquePaths, Path(get_upload_folder())),
            ]
        },
        **options,
    }
    server, address, shared = page.launch(**settings)
    server.state_holder = visits
    visits.set_blocks(page)
    # Before all others: Gradio answers for every path.
    api = Mount(PATH, build_api(page.analyzers))
    server.router.routes[:0] = [*camera_routes(), film_route(), api]
    return server, address, shared


def _has_desktop() -> bool:
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
