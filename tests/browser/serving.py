"""Run both pages as real servers, and a Chromium to open them."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "frontends" / "streamlit_app" / "app.py"
SLOWEST_S = 240
"""Enough to import torch and load a model on a busy computer."""

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def streamlit(script: Path = APP, port: int | None = None) -> Iterator[str]:
    """Serve ``script`` on ``port`` of this computer, or a free one, and yield its address."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    address = f"http://localhost:{port}"
    with run_server(command, environment, f"{address}/_stcore/health"):
        yield address


@contextmanager
def run_server(
    command: Sequence[str], environment: Mapping[str, str], health: str, folder: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in ``folder`` until the end of the block; yield it once ``health`` answers."""
    # A file, because a pipe that nobody reads would stop the server once it is full.
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=log
        ) as server,
    ):
        try:
            wait_for(health, server, log)
            yield server
        finally:
            server.terminate()


@contextmanager
def gradio(module: str, uploads: Path | None = None) -> Iterator[str]:
    """Yield the address of the demo that ``module`` serves until its standard input ends.

    ``uploads`` is the folder for what visitors upload.
    """
    own = {} if uploads is None else {"GRADIO_TEMP_DIR": str(uploads)}
    with subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, **own},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def installed_chromium(parser: argparse.ArgumentParser) -> Path:
    """Return the path of Chromium; if there is none, end the program with a hint."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        parser.error("there is no Chromium; on Debian: apt-get install chromium")
    return Path(path)


@contextmanager
def browser(chromium: Path, *flags: str) -> Iterator[Browser]:
    """Run a headless Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=str(chromium), args=[*CHROMIUM_FLAGS, *flags]
        )
        try:
            yield running
        finally:
            running.close()


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_for(address: str, server: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    """Wait until the address answers; raise RuntimeError if the server ends or stays silent.

    ``log`` is the file that the server writes its messages to.
    """
    end = time.monotonic() + SLOWEST_S
    while time.monotonic() < end:
        if server.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"the server ended: {log.read().decode()}")
        try:
            if httpx.get(address, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError("the server did not answer in time")
