"""Both pages as real servers, and a Chromium to look at them."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "frontends" / "streamlit_app" / "app.py"
SLOWEST_S = 240
"""Importing torch and loading a model on a busy computer."""

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
def streamlit(script: Path = APP) -> Iterator[str]:
    """The address of a server that shows ``script``, on a free port of this computer."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as server:
        try:
            wait_for(f"http://localhost:{port}/_stcore/health", server)
            yield f"http://localhost:{port}"
        finally:
            server.terminate()


@contextmanager
def gradio(module: str) -> Iterator[str]:
    """The address of the demo that ``module`` serves until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
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
    """Where it is; ends the program that ``parser`` is of, with what to do, where it is not."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        parser.error("there is no Chromium; on Debian: apt-get install chromium")
    return Path(found)


@contextmanager
def browser(chromium: Path, *flags: str) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=str(chromium), args=[*CHROMIUM_FLAGS, *flags]
        )
        try:
            yield running
        finally:
            running.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Return once the address answers; RuntimeError if the server ends or is silent."""
    end = time.monotonic() + SLOWEST_S
    while time.monotonic() < end:
        if server.poll() is not None:
            told = server.stderr.read().decode() if server.stderr else ""
            raise RuntimeError(f"the server ended: {told}")
        try:
            if httpx.get(address, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError("the server did not answer in time")
