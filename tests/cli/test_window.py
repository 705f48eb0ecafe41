"""`emotion app --window` shows the app in its own window, or says what is missing."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
from typer.testing import CliRunner

from cli import window
from cli.main import app
from core import ConfigError, Finding

SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"up")
    def log_message(self, *args):
        pass

HTTPServer(("localhost", int(sys.argv[1])), Page).serve_forever()
"""


WINDOW = """
import sys, urllib.request
shown = urllib.request.urlopen(sys.argv[2]).read().decode()
open(sys.argv[1], "a").write(f"{shown} {sys.argv[2]}\\n")
"""
"""A window that closes at once, and notes whether the app was running."""


def is_running(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:
            return reply.read() == b"up"
    except urllib.error.URLError:
        return False


@pytest.fixture
def port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def desktop(monkeypatch, tmp_path):
    """Everything that a window needs; returns the file in which the fake window notes."""
    notes = tmp_path / "notes"
    notes.touch()
    monkeypatch.setattr(window, "WINDOW_COMMAND", (sys.executable, "-c", WINDOW, str(notes)))
    monkeypatch.setattr(window, "find_spec", lambda _name: object())
    monkeypatch.setattr(window, "check_window_libraries", lambda: ())
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("QTWEBENGINE_DISABLE_SANDBOX", "1")
    runtime = tmp_path / "run"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    return notes


def show(port, program=SERVER):
    address = f"http://localhost:{port}"
    command = [sys.executable, "-c", program, str(port)]
    window.show_in_window(command, address, window.Path.cwd(), os.environ)


def test_window_shows_the_app_and_stops_it_when_closed(desktop, port):
    show(port)
    address = f"http://localhost:{port}"
    assert desktop.read_text() == f"up {address}\n"
    assert not is_running(address)


@pytest.mark.parametrize("end", ["os.abort()", "sys.exit(1)"])
def test_window_that_breaks_is_reported_and_the_server_stopped(desktop, monkeypatch, port, end):
    command = (sys.executable, "-c", f"import os, sys; {end}")
    monkeypatch.setattr(window, "WINDOW_COMMAND", command)
    with pytest.raises(ConfigError, match="ended unexpectedly"):
        show(port)
    assert not is_running(f"http://localhost:{port}")
    assert desktop.read_text() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a Unix socket")
def test_second_start_brings_the_first_window_to_the_front(desktop, monkeypatch, port, capsys):
    code = "import sys; open(sys.argv[1], 'a').write('at the front' * (sys.stdin.readline() > ''))"
    monkeypatch.setattr(window, "WINDOW_COMMAND", (sys.executable, "-c", code, str(desktop)))
    first = threading.Thread(target=show, args=(port,))
    monkeypatch.setattr(window, "handle_stop_signals", lambda _: contextlib.nullcontext())
    first.start()
    path = window.Path(os.environ["XDG_RUNTIME_DIR"]) / f"photo-emotion-{os.getuid()}" / "window"
    while not path.exists() and first.is_alive():
        time.sleep(0.05)
    show(port, "never started")
    first.join()
    assert capsys.readouterr().err == "The app's window is open already.\n"
    assert desktop.read_text() == "at the front"


def test_missing_package_is_named_with_the_command_that_installs_it(desktop, monkeypatch, port):
    monkeypatch.setattr(window, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="needs the package") as caught:
        show(port)
    assert "make window" in caught.value.hint
    assert desktop.read_text() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a desktop")
@pytest.mark.usefixtures("desktop")
def test_missing_desktop_library_or_sandbox_is_explained(monkeypatch, port):
    monkeypatch.setattr(window.os, "geteuid", lambda: 0)
    monkeypatch.delenv("QTWEBENGINE_DISABLE_SANDBOX")
    with pytest.raises(ConfigError, match="which root cannot use"):
        show(port)
    missing = Finding("window", "warning", "It cannot open without libxcb.", "apt-get install it")
    monkeypatch.setattr(window, "check_window_libraries", lambda: (missing,))
    with pytest.raises(ConfigError, match="without libxcb") as caught:
        show(port)
    assert "apt-get install it" in caught.value.hint
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(ConfigError, match="no desktop"):
        show(port)


def test_server_that_ends_at_once_opens_no_window(desktop, port):
    with pytest.raises(ConfigError, match="did not start"):
        show(port, "raise SystemExit(1)")
    assert desktop.read_text() == ""


def test_command_starts_the_app_without_a_browser_for_its_window(monkeypatch, root, port):
    calls = []
    monkeypatch.setattr(window, "show_in_window", lambda *arguments: calls.append(arguments))
    assert CliRunner().invoke(app, ["app", "--window", "--port", str(port)]).exit_code == 0
    assert CliRunner().invoke(app, ["app", "--window"]).exit_code == 0
    (command, address, folder, _), (_, free, _, _) = calls
    assert address == f"http://localhost:{port}"
    assert command[-4:] == ["--server.port", str(port), "--server.headless", "true"]
    assert folder == root
    assert free.startswith("http://localhost:")
    assert free != address
