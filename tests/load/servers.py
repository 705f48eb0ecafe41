"""All fronts as real servers; measure their memory and look for files they leave."""

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
"""In PYTHONPATH, this folder makes Python refuse connections to other computers."""
API = ROOT / "frontends" / "api" / "app.py"
DEMO = ROOT / "frontends" / "gradio_app" / "app.py"


@dataclass(frozen=True, slots=True)
class Server:
    """A running front."""

    address: str
    process: int
    temporary: Path
    """The folder into which it would write uploads."""
    log: Path

    def megabytes(self) -> float:
        """Return the resident memory of the server and its decoder processes, in MB (Linux)."""
        return sum(map(resident_mb, (self.process, *descendants(self.process))))

    def connection_attempts(self) -> list[str]:
        """Return the connections that it tried to open to other computers."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if line.startswith("way out")]

    def files_with(self, *marks: bytes) -> list[str]:
        """Return those of its temporary files and its log that have a mark in content or name."""
        matches = []
        for path in (*self.temporary.rglob("*"), self.log):
            in_name = any(mark in os.fsencode(path.name) for mark in marks)
            if path.is_file() and (in_name or any(mark in path.read_bytes() for mark in marks)):
                matches.append(str(path.relative_to(self.temporary.parent)))
        return matches


@contextmanager
def streamlit_server(folder: Path, *, real: bool) -> Iterator[Server]:
    """Run the Streamlit app, with the shipped networks if ``real``, otherwise with a fake one."""
    script = APP if real else SLOW_APP
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    command += ["--server.port", str(port)]
    with _run_server(folder, command, f"http://localhost:{port}", "/_stcore/health") as server:
        yield server


@contextmanager
def gradio_server(
    folder: Path, *, real: bool, fake: str = "tests.frontends.fake_demo"
) -> Iterator[Server]:
    """Run the Gradio demo, in the same way; ``fake`` is the module with a fake model."""
    port = free_port()
    page = [str(DEMO)] if real else ["-m", fake]
    command = [sys.executable, *page]
    with _run_server(folder, command, f"http://127.0.0.1:{port}/", "", port) as server:
        yield server


@contextmanager
def api_server(folder: Path, *, real: bool) -> Iterator[Server]:
    """Run the HTTP API alone, in the same way."""
    port = free_port()
    program = [str(API)] if real else ["-m", "tests.load.slow_api"]
    command = [sys.executable, *program, "--port", str(port)]
    with _run_server(folder, command, f"http://127.0.0.1:{port}/", "api/health") as server:
        yield server


@contextmanager
def _run_server(
    folder: Path, command: Sequence[str], address: str, health: str, port: int = 0
) -> Iterator[Server]:
    temporary, log = folder / "temporary", folder / "server.log"
    temporary.mkdir(parents=True, exist_ok=True)
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
        log.open("w+b") as output,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output
        ) as process,
    ):
        try:
            wait_for(address + health, process, output)
            yield Server(address, process.pid, temporary, log)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for_memory(server: Server, level: float, seconds: float) -> float:
    """Return the server's memory once it is down to ``level``, or after that many seconds."""
    end = time.monotonic() + seconds
    while (memory := server.megabytes()) > level and time.monotonic() < end:
        time.sleep(2)
    return memory


def resident_mb(process: int) -> float:
    """Return the resident memory of a process, in MB (Linux); 0 if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii", "replace")
    except OSError:
        return 0.0  # it has just ended
    lines = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def descendants(process: int) -> Iterator[int]:
    """Yield the processes that a process started, and those that they started (Linux)."""
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from descendants(child)
