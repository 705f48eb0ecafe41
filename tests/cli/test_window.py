"""`emotion app --window` shows the app in its own window, or says what to install."""

from __future__ import annotations

import socket
import sys
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cli import window
from cli.main import app
from core import ConfigError

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


class FakeWebViewError(Exception):
    """What pywebview raises if no library can draw web pages."""


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
def webview(monkeypatch):
    """A fake pywebview: its windows, and after each whether the app was running then."""
    windows = []
    fake = SimpleNamespace(settings={}, WebViewException=FakeWebViewError)
    fake.create_window = lambda *args, **options: windows.append((args, options))
    fake.start = lambda: windows.append(is_running(windows[-1][0][1]))
    fake.windows = windows
    monkeypatch.setitem(sys.modules, "webview", fake)
    monkeypatch.setenv("DISPLAY", ":0")
    return fake


def test_window_shows_the_app_and_stops_it_when_closed(webview, port, tmp_path):
    address = f"http://localhost:{port}"
    window.show_in_window([sys.executable, "-c", SERVER, str(port)], address, tmp_path)
    (title, opened), was_running = webview.windows[0][0], webview.windows[1]
    assert (title, opened, was_running) == ("Photo Emotion", address, True)
    assert webview.settings["ALLOW_DOWNLOADS"] is True
    assert not is_running(address)


def test_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "webview", None)
    with pytest.raises(ConfigError) as caught:
        window.show_in_window(["never started"], "http://localhost:1", tmp_path)
    assert "pywebview" in caught.value.message
    assert "make window" in caught.value.hint


@pytest.mark.usefixtures("webview")
def test_computer_without_a_desktop_gets_the_hint_to_use_the_browser(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(ConfigError, match="no desktop") as caught:
        window.show_in_window(["never started"], "http://localhost:1", tmp_path)
    assert "--window" in caught.value.hint


def test_missing_web_view_is_reported_and_the_server_stopped(webview, port, tmp_path):
    def start():
        raise FakeWebViewError("You must have either QT or GTK")

    webview.start = start
    address = f"http://localhost:{port}"
    with pytest.raises(ConfigError, match="draws web pages") as caught:
        window.show_in_window([sys.executable, "-c", SERVER, str(port)], address, tmp_path)
    assert "make window" in caught.value.hint
    assert not is_running(address)


def test_server_that_ends_at_once_opens_no_window(webview, port, tmp_path):
    with pytest.raises(ConfigError, match="did not start"):
        window.show_in_window(
            [sys.executable, "-c", "raise SystemExit(1)"], f"http://localhost:{port}", tmp_path
        )
    assert webview.windows == []


def test_command_starts_the_app_without_a_browser_for_its_window(monkeypatch, root):
    calls = []
    monkeypatch.setattr(window, "show_in_window", lambda *arguments: calls.append(arguments))
    assert CliRunner().invoke(app, ["app", "--window", "--port", "8600"]).exit_code == 0
    assert CliRunner().invoke(app, ["app", "--window"]).exit_code == 0
    (command, address, folder), (_, free, _) = calls
    assert address == "http://localhost:8600"
    assert command[-4:] == ["--server.port", "8600", "--server.headless", "true"]
    assert folder == root
    assert free.startswith("http://localhost:")
    assert free != address
