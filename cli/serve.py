"""`emotion app`, `demo` and `serve`: start a server that only this computer can reach."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from core import ConfigError

ROOT = Path(__file__).resolve().parent.parent

Port = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Port of the page.  [default: the next free one]"),
]
Window = Annotated[
    bool,
    typer.Option(
        "--window", help="Open the app in its own window; `make window` installs what it needs."
    ),
]


def app(port: Port = None, window: Window = False) -> None:
    """Open the Streamlit app in the browser."""
    _check_port(port)
    if window:
        from cli.window import show_in_window

        port = port or _find_free_port()
        command = [*streamlit_command(port), "--server.headless", "true"]
        show_in_window(command, f"http://localhost:{port}", ROOT, _choose_environment())
    else:
        _replace_process(streamlit_command(port))


def demo(port: Port = None) -> None:
    """Open the Gradio demo in the browser."""
    _check_port(port)
    command = [sys.executable, str(ROOT / "frontends" / "gradio_app" / "app.py")]
    _replace_process(command, gradio_environment(port))


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the API.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other computers in.")
    ] = "127.0.0.1",
) -> None:
    """Start the HTTP API alone, without any page."""
    command = [sys.executable, str(ROOT / "frontends" / "api" / "app.py")]
    _replace_process([*command, "--host", host, "--port", str(port)])


def streamlit_command(port: int | None = None) -> list[str]:
    """Return the command that starts the Streamlit app; its settings are in `.streamlit`.

    The person who starts it sits at this computer, so the app may read its folders.
    """
    command = [sys.executable, str(ROOT / "frontends" / "streamlit_app" / "app.py"), "--folders"]
    return command if port is None else [*command, "--server.port", str(port)]


def gradio_environment(port: int | None = None) -> dict[str, str]:
    """Return the environment variables that Gradio reads its settings from."""
    settings = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_ANALYTICS_ENABLED": "False"}
    return settings if port is None else {**settings, "GRADIO_SERVER_PORT": str(port)}


def _check_port(port: int | None) -> None:
    """Raise ConfigError if another program has ``port``, or this user may not open it."""
    if port is None:
        return
    with socket.socket() as listener:
        # As the servers do: a port that was just given back can be used at once.
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigError(
                f"Port {port} cannot be used: {error.strerror}.",
                hint="Choose another --port, or leave it out to get a free one.",
            ) from error


def _choose_environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a server: the user's, but of its own settings only ours.

    A variable such as STREAMLIT_SERVER_ADDRESS could show the page to the whole network.
    """
    tempfile.gettempdir()  # raises an error if there is none, as the server would much later
    own = sorted(name for name in os.environ if name.startswith(("STREAMLIT_", "GRADIO_")))
    if own:
        typer.echo(f"Ignored from the environment: {', '.join(own)}.", err=True)
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return {**kept, **(settings or {})}


def _find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _replace_process(command: Sequence[str], settings: Mapping[str, str] | None = None) -> NoReturn:
    """Turn this process into the server, so that signals and the exit code are the server's."""
    environment = _choose_environment(settings)
    # Streamlit reads `.streamlit/config.toml` from the working directory.
    os.chdir(ROOT)
    if sys.platform == "win32":
        # On Windows exec returns to the shell while the server is still running.
        raise typer.Exit(subprocess.run(command, env=environment, check=False).returncode)
    os.execve(command[0], list(command), environment)
