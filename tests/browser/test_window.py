"""`emotion app --window` under a virtual display: photo, download, camera, second start, end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec

import pytest
from websockets.sync.client import connect

from tests.browser.serving import free_port

NEEDED = "apt-get install xvfb xdotool, and requirements-window.txt"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool") and find_spec("PyQt6")),
        reason=f"needs {NEEDED}",
    ),
]
COMMAND = [sys.executable, "-m", "cli", "app", "--window"]
CLICK = """
[...document.querySelectorAll('button, label, a')]
    .filter(each => each.innerText.includes(%s))[0].click()
"""


def wait_until(is_true, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := is_true():
            return result
        time.sleep(0.3)
    raise TimeoutError(is_true)


class Page:
    """The page in the window, as its developer tools see it."""

    def __init__(self, port):
        listed = wait_until(lambda: self._list_pages(port))
        self._socket = connect(listed[0]["webSocketDebuggerUrl"], max_size=None)

    def _list_pages(self, port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as reply:
                return [each for each in json.load(reply) if "localhost" in each["url"]]
        except OSError:
            return []

    def run(self, script):
        message = {
            "id": 1,
            "method": "Runtime.evaluate",
            "params": {"expression": script, "userGesture": True, "returnByValue": True},
        }
        self._socket.send(json.dumps(message))
        while (reply := json.loads(self._socket.recv(60))).get("id") != 1:
            pass
        return reply["result"]["result"].get("value")

    def wait_for(self, text):
        wait_until(lambda: self.run(f"document.body.innerText.includes({json.dumps(text)})"))

    def click(self, text):
        wait_until(lambda: self.run(f"{CLICK % json.dumps(text)}; true"))


@pytest.fixture
def display(tmp_path):
    """The environment of a user with a display, downloads in a folder of the test."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x1000x24"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        number = os.read(read, 20).decode().strip()
        runtime = tmp_path / "runtime"
        runtime.mkdir(mode=0o700)
        yield {
            **os.environ,
            "DISPLAY": f":{number}",
            "XDG_RUNTIME_DIR": str(runtime),
            # Tests may run as root, and in containers without namespaces.
            "QTWEBENGINE_DISABLE_SANDBOX": "1",
            "QTWEBENGINE_CHROMIUM_FLAGS": "--use-fake-device-for-media-stream",
        }
        server.terminate()
    os.close(read)
    os.close(write)


def xdotool(display, *arguments):
    command = ["xdotool", *map(str, arguments)]
    return subprocess.run(command, env=display, capture_output=True, text=True, check=False).stdout


def find_dialog(display, title):
    return wait_until(lambda: xdotool(display, "search", "--onlyvisible", "--name", title).split())


def is_up(address):
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except OSError:
        return False
    return True


def test_window_answers_saves_asks_for_the_camera_and_ends_its_server(display, root, tmp_path):
    tools, port = free_port(), free_port()
    address = f"http://localhost:{port}"
    environment = {**display, "QTWEBENGINE_REMOTE_DEBUGGING": str(tools)}
    command = [*COMMAND, "--port", str(port)]
    with subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.DEVNULL) as app:
        try:
            page = Page(tools)
            page.wait_for("No photo at hand?")
            # Streamlit's buttons do nothing until it is connected.
            while page.run("document.body.innerText.includes('No photo at hand?')"):
                page.click("Try the sample photo")
                time.sleep(2)
            page.wait_for("would say happy")

            page.click("JSON")
            dialog = find_dialog(display, "^Save")
            saved = tmp_path / "answer.json"
            xdotool(display, "windowfocus", dialog[0])
            xdotool(display, "key", "ctrl+a")
            xdotool(display, "type", "--delay", 20, saved)
            xdotool(display, "key", "Return")
            wait_until(lambda: saved.exists() and saved.stat().st_size)
            assert json.loads(saved.read_text(encoding="utf-8"))["faces"]

            before = len(find_dialog(display, "Photo Emotion"))
            page.run(
                "navigator.mediaDevices.getUserMedia({video: true}).then("
                "() => document.title = 'yes', () => document.title = 'no')"
            )
            wait_until(lambda: len(find_dialog(display, "Photo Emotion")) > before)
            xdotool(display, "key", "Escape")
            wait_until(lambda: page.run("document.title") == "no")

            second = subprocess.run(
                COMMAND, cwd=root, env=display, capture_output=True, text=True, check=False
            )
            assert second.returncode == 0
            assert second.stderr.endswith("The app's window is open already.\n")

            assert is_up(address)
            page.run("window.close()")
            assert app.wait(30) == 0
            assert not is_up(address)
        finally:
            app.terminate()
