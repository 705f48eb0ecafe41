"""The two fronts as real servers, and what they hold in memory and on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.serving import APP, ROOT, free_port, wait_for

SLOW_APP = Path(__file__).with_name("slow_app.py")
CLOSED = Path(__file__).with_name("closed")
"""On the path of a Python, this folder closes every way out of the computer."""
DEMO = ROOT / "frontends" / "gradio_app" / "app.py"


@dataclass(frozen=True, slots=True)
class Server:
    """A running front."""

    address: str
    process: int
    temporary: Path
    """Where it would put what is uploaded."""
    log: Path

    def megabytes(self) -> float:
        """What it and its decoder processes hold in memory (Linux)."""
        return sum(map(_resident_mb, (self.process, *_descendants(self.process))))

    def ways_out(self) -> list[str]:
        """The connections that it tried to open to other computers."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if line.startswith("way out")]

    def files_with(self, *marks: bytes) -> list[str]:
        """Its temporary files, and its log, that hold any of the marks or are named so."""
        found = []
        for path in (*self.temporary.rglob("*"), self.log):
            named = any(mark in os.fsencode(path.name) for mark in marks)
            if path.is_file() and (named or any(mark in path.read_bytes() for mark in marks)):
                found.append(str(path.relative_to(self.temporary.parent)))
        return found


@contextmanager
def streamlit_server(folder: Path, *, real: bool) -> Iterator[Server]:
    """The Streamlit app; with ``real`` with the shipped networks, else with the fake one."""
    script = APP if real else SLOW_APP
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    command += ["--server.port", str(port)]
    with _running(folder, command, f"http://localhost:{port}", "/_stcore/health") as server:
        yield server


@contextmanager
def gradio_server(folder: Path, *, real: bool) -> Iterator[Server]:
    """The Gradio demo, alike."""
    port = free_port()
    page = [str(DEMO)] if real else ["-m", "tests.frontends.fake_demo"]
    command = [sys.executable, *page]
    with _running(folder, command, f"http://127.0.0.1:{port}/", "", port) as server:
        yield server


@contextmanager
def _running(
    folder: Path, command: Sequence[str], address: str, health: str, port: int = 0
) -> Iterator[Server]:
    temporary, log = folder / "temporary", folder / "server.log"
    temporary.mkdir(parents=True)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{CLOSED}{os.pathsep}{ROOT}",
        "TMPDIR": str(temporary),
        "DISPLAY": "",
        "WAYLAND_DISPLAY": "",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
    }
    environment.pop("GRADIO_TEMP_DIR", None)
    with (
        log.open("wb") as told,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=told, stderr=told
        ) as process,
    ):
        try:
            wait_for(address + health, process)
            yield Server(address, process.pid, temporary, log)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def settled_megabytes(server: Server, level: float, seconds: float) -> float:
    """What the server holds once it is back at ``level``, or after that many seconds."""
    end = time.monotonic() + seconds
    while (held := server.megabytes()) > level and time.monotonic() < end:
        time.sleep(2)
    return held


def _resident_mb(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii", "replace")
    except OSError:
        return 0.0  # it has just ended
    lines = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def _descendants(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from _descendants(child)
