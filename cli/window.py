"""The app in its own window, drawn by pywebview with the system's web view."""

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
_MIN_SIZE_WH = 360, 560
_START_TIMEOUT_S = 60
"""For the server to start, which takes two seconds on an idle computer."""
_USE_BROWSER = "Leave --window out to use the browser."


def show_in_window(command: Sequence[str], address: str, folder: Path) -> None:
    """Start the server ``command`` in ``folder`` and show ``address`` until the window is closed.

    Raises ConfigError if no window can be opened.
    """
    webview = _import_webview()
    with subprocess.Popen(command, cwd=folder) as server:
        try:
            _wait_until_ready(server, address)
            # Without this the buttons that save a file would do nothing.
            webview.settings["ALLOW_DOWNLOADS"] = True
            width, height = _SIZE_WH
            webview.create_window(
                _TITLE, address, width=width, height=height, min_size=_MIN_SIZE_WH
            )
            webview.start()
        except webview.WebViewException as error:
            raise ConfigError(
                "pywebview found no library on this computer that draws web pages.",
                hint=f"To install it: make window. {_USE_BROWSER}",
            ) from error
        finally:
            server.terminate()


def _import_webview() -> Any:
    """Return the library; ConfigError if it or a desktop is missing."""
    try:
        # Imported by name, because it is optional: only --window needs it.
        webview = import_module("webview")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The app's window needs the package pywebview; {error.name} is missing.",
            hint=f"To install it: make window. {_USE_BROWSER}",
        ) from error
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise ConfigError("There is no desktop to open a window on.", hint=_USE_BROWSER)
    return webview


def _wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + _START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()  # noqa: S310
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise ConfigError(
        "The app's server did not start.", hint=f"The reason is above. {_USE_BROWSER}"
    )
