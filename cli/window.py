"""The app in a window of its own, drawn by pywebview with the system's web view."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from core import ConfigError

_TITLE = "Photo Emotion"
_SIZE_WH = 1280, 900
_SMALLEST_WH = 360, 560
_PATIENCE_S = 60
"""For the server to be up, which takes two seconds on an idle computer."""
_INSTEAD = "Leave --window out to use the browser."


def show_in_window(command: Sequence[str], address: str, folder: Path) -> None:
    """Start the server ``command`` in ``folder`` and show ``address`` until the window is closed.

    Raises ConfigError where no window can be had.
    """
    webview = _webview()
    with subprocess.Popen(command, cwd=folder) as server:
        try:
            _wait_until_up(server, address)
            # Otherwise the buttons that save a file would do nothing.
            webview.settings["ALLOW_DOWNLOADS"] = True
            width, height = _SIZE_WH
            webview.create_window(
                _TITLE, address, width=width, height=height, min_size=_SMALLEST_WH
            )
            _show(webview)
        finally:
            server.terminate()


def _webview() -> Any:
    """The library; ConfigError where it or a desktop is missing."""
    try:
        # By name, because it is no requirement: only who wants a window installs it.
        webview = import_module("webview")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"A window of its own needs the package pywebview; {error.name} is missing.",
            hint=f"To install it: make window. {_INSTEAD}",
        ) from error
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise ConfigError("There is no desktop to open a window on.", hint=_INSTEAD)
    return webview


def _show(webview: Any) -> None:
    try:
        webview.start()
    except webview.WebViewException as error:
        raise ConfigError(
            "pywebview found nothing on this system that draws web pages.",
            hint=f"To install it: make window. {_INSTEAD}",
        ) from error


def _wait_until_up(server: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while server.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()  # noqa: S310
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise ConfigError("The app's server did not start.", hint=f"It told why above. {_INSTEAD}")
