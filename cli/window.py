"""The app in its own window: a server, and a process that draws the page."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import IO

import typer

from cli.stopping import handle_stop_signals
from core import ConfigError, check_window_libraries

WINDOW_COMMAND = (sys.executable, "-m", "cli.window_process")
_START_TIMEOUT_S = 60
"""For the server to start, which takes two seconds on an idle computer."""
_USE_BROWSER = "Leave --window out to use the browser."
_NO_SANDBOX = "QTWEBENGINE_DISABLE_SANDBOX"


def show_in_window(
    command: Sequence[str], address: str, folder: Path, environment: Mapping[str, str]
) -> None:
    """Start the server ``command`` in ``folder`` and show ``address`` until the window is closed.

    If a window of this user is open already, it is brought to the front instead. ConfigError if no
    window can be opened or it does not last.
    """
    _check_requirements()
    if _show_first():
        typer.echo("The app's window is open already.", err=True)
        return
    with handle_stop_signals(_stop), contextlib.ExitStack() as stack:
        server = stack.enter_context(_run(command, folder, environment))
        _wait_until_ready(server, address)
        window = stack.enter_context(
            _run([*WINDOW_COMMAND, address], folder, environment, stdin=subprocess.PIPE)
        )
        _wait_for_others(window.stdin)
        if window.wait():
            raise ConfigError(
                "The window ended unexpectedly.", hint=f"The reason is above. {_USE_BROWSER}"
            )


def _check_requirements() -> None:
    """Raise ConfigError if a package, a library, a desktop or a right is missing."""
    package = "PyQt6" if sys.platform == "linux" else "webview"
    if find_spec(package) is None:
        raise ConfigError(
            f"The app's window needs the package {package}, which is missing.",
            hint=f"To install it: make window. {_USE_BROWSER}",
        )
    if sys.platform != "linux":
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise ConfigError("There is no desktop to open a window on.", hint=_USE_BROWSER)
    for finding in check_window_libraries():
        if finding.remedy:
            raise ConfigError(finding.detail, hint=f"{finding.remedy}\n{_USE_BROWSER}")
    if os.geteuid() == 0 and not os.environ.get(_NO_SANDBOX):
        raise ConfigError(
            "The window draws the page in a sandbox, which root cannot use.",
            hint=f"Start it as another user. Without the sandbox: {_NO_SANDBOX}=1 emotion app "
            f"--window\n{_USE_BROWSER}",
        )


@contextlib.contextmanager
def _run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    stdin: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``command`` and end it with the block."""
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=stdin) as process:
        try:
            yield process
        finally:
            process.terminate()


def _stop(number: int) -> None:
    raise SystemExit(128 + number)


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


def _find_socket() -> Path | None:
    """Return where a window waits for others; None where there is no safe place."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    own = folder / f"photo-emotion-{os.getuid()}"
    with contextlib.suppress(OSError):
        own.mkdir(mode=0o700, exist_ok=True)
        status = own.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid():
            return own / "window"
    return None


def _show_first() -> bool:
    """Bring the window of an earlier start to the front; False if there is none."""
    path = _find_socket()
    if path is None:
        return False
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
        return True


def _wait_for_others(window: IO[bytes] | None) -> None:
    """Send the window a line whenever it is to come to the front, as long as this process runs."""
    path = _find_socket()
    if path is None or window is None:
        return
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)  # left by a process that was killed
        listener.bind(str(path))
        listener.listen()
    except OSError:
        listener.close()
        return

    def listen() -> None:
        with contextlib.suppress(OSError, ValueError):  # the window was closed
            while True:
                listener.accept()[0].close()
                window.write(b"front\n")
                window.flush()

    Thread(target=listen, daemon=True).start()
