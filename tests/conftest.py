"""What every test gets: no network, quiet third parties, pictures that may be shared."""

from __future__ import annotations

import atexit
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent

_NO_CHROMIUM = "needs Chromium (Debian: apt-get install chromium), which is absent"

if "PYTEST_XDIST_WORKER" in os.environ:
    # The process that started this one has made the folder and removes it.
    _COMPILED = os.environ["PHOTO_EMOTION_CACHE"]
else:
    _COMPILED = tempfile.mkdtemp(prefix="photo-emotion-tests-")
    atexit.register(shutil.rmtree, _COMPILED, ignore_errors=True)

# Set before anything is imported that reads them on import.
os.environ.update(
    {
        "NO_ALBUMENTATIONS_UPDATE": "1",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "MPLBACKEND": "Agg",
        # Threads of torch that wait would spin, which takes many times as long on a busy computer.
        "OMP_WAIT_POLICY": "passive",
        # Compiled networks are kept for this run alone: neither from nor for the user's own.
        "PHOTO_EMOTION_CACHE": _COMPILED,
        # Plain text from the command line, whatever terminal the tests run in.
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The shared data beside the repository; skips the test where there is none."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the shared data in ../shared, which is absent")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A Chromium or Chrome of the system; skips the test where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(_NO_CHROMIUM)
    return Path(found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says in red that pages were not looked at: a skipped test is easily taken for a green one."""
    skipped = terminalreporter.stats.get("skipped", [])
    unseen = sum(_NO_CHROMIUM in str(report.longrepr) for report in skipped)
    if unseen:
        told = f"{unseen} tests of the pages in a browser did not run: {_NO_CHROMIUM}"
        terminalreporter.write_sep("!", told, red=True, bold=True)


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """(512, 512, 3) uint8 RGB, read-only: Eileen Collins, smiling; NASA, public domain."""
    from skimage import data

    pixels: NDArray[np.uint8] = data.astronaut()
    pixels.setflags(write=False)
    return pixels


def _leaves_the_computer(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if text in ("", "localhost", "0.0.0.0", "::"):
        return False
    try:
        return not ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return True


def _guarded(name: str, refuse: Callable[[object], NoReturn]) -> Callable[..., object]:
    original = getattr(socket.socket, name)

    def call(self: socket.socket, *args: object) -> object:
        # The address is the last argument of all three; a Unix socket's is a path, no tuple.
        address = args[-1]
        if isinstance(address, tuple) and _leaves_the_computer(address[0]):
            refuse(address[0])
        return original(self, *args)

    return call


@pytest.fixture(scope="session", autouse=True)
def _closed_network() -> Iterator[list[str]]:
    """Refuses every way out of this computer during the whole session, and lists the attempts."""
    attempts: list[str] = []

    def refuse(host: object) -> NoReturn:
        attempts.append(str(host))
        raise OSError(f"tests may not open a connection to {host!r}")

    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> object:
        # Looking a name up is a way out too, and the first step of every other.
        if _leaves_the_computer(host) and host != socket.gethostname():
            refuse(host)
        return resolve(host, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(name, refuse))
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield attempts


@pytest.fixture(autouse=True)
def no_network(_closed_network: list[str]) -> Iterator[list[str]]:
    """Fails a test that tried to reach the network, even if a library swallowed the refusal.

    Gives the hosts tried so far, for a test that means to try.
    """
    _closed_network.clear()
    yield _closed_network
    assert not _closed_network, f"the test tried to reach {', '.join(_closed_network)}"
