"""Fixtures and settings of all tests: no network, quiet libraries, images free to share."""

from __future__ import annotations

import atexit
import gc
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

_NO_CHROMIUM = "needs Chromium (Debian: apt-get install chromium), which is missing"

if "PYTEST_XDIST_WORKER" in os.environ:
    # The process that started this one made the folder and removes it.
    _COMPILED = os.environ["PHOTO_EMOTION_CACHE"]
else:
    _COMPILED = tempfile.mkdtemp(prefix="photo-emotion-tests-")
    atexit.register(shutil.rmtree, _COMPILED, ignore_errors=True)

# Set before importing the libraries that read them on import.
os.environ.update(
    {
        "NO_ALBUMENTATIONS_UPDATE": "1",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "MPLBACKEND": "Agg",
        # Otherwise waiting threads of torch spin, which slows a busy computer down many times.
        "OMP_WAIT_POLICY": "passive",
        # A cache of compiled networks for this run, so that the user's own is not touched.
        "PHOTO_EMOTION_CACHE": _COMPILED,
        # Plain text from the command line in any terminal.
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Return the folder of shared data beside the repository; skip the test if it is missing."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the shared data in ../shared, which is missing")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Return the system's Chromium or Chrome; skip the test if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(_NO_CHROMIUM)
    return Path(found)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported so far: a full collection takes half a second.

    These objects live to the end of the run anyway.
    """
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let Python free them as it ends; libraries report what they still hold then."""
    gc.unfreeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in red that browser tests were skipped, because a skipped test is easily overlooked."""
    skipped = terminalreporter.stats.get("skipped", [])
    skipped_pages = sum(_NO_CHROMIUM in str(report.longrepr) for report in skipped)
    if skipped_pages:
        message = f"{skipped_pages} tests of the pages in a browser did not run: {_NO_CHROMIUM}"
        terminalreporter.write_sep("!", message, red=True, bold=True)


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """Return a smiling Eileen Collins, (512, 512, 3) uint8 RGB, read-only (NASA, public domain)."""
    from skimage import data

    pixels: NDArray[np.uint8] = data.astronaut()
    pixels.setflags(write=False)
    return pixels


def _is_another_computer(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if text in ("", "localhost", "0.0.0.0", "::"):
        return False
    try:
        return not ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return True


def _guard_method(name: str, refuse: Callable[[object], NoReturn]) -> Callable[..., object]:
    original = getattr(socket.socket, name)

    def call(self: socket.socket, *args: object) -> object:
        # The address is the last argument of all three methods; that of a Unix socket is a path.
        address = args[-1]
        if isinstance(address, tuple) and _is_another_computer(address[0]):
            refuse(address[0])
        return original(self, *args)

    return call


@pytest.fixture(scope="session", autouse=True)
def _closed_network() -> Iterator[list[str]]:
    """Refuse every connection to another computer during the session, and list the attempts."""
    attempts: list[str] = []

    def refuse(host: object) -> NoReturn:
        attempts.append(str(host))
        raise OSError(f"tests may not open a connection to {host!r}")

    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> object:
        # Looking up a host name also asks another computer, and comes before most connections.
        if _is_another_computer(host) and host != socket.gethostname():
            refuse(host)
        return resolve(host, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guard_method(name, refuse))
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield attempts


@pytest.fixture(autouse=True)
def no_network(_closed_network: list[str]) -> Iterator[list[str]]:
    """Fail a test that tried to reach the network, even if a library swallowed the error.

    Yields the hosts tried so far, for tests that try on purpose.
    """
    _closed_network.clear()
    yield _closed_network
    assert not _closed_network, f"the test tried to reach {', '.join(_closed_network)}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: the browser's event loop would stop others that start their own."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
