"""`emotion app` and `emotion demo` start the right page, and only for this computer."""

from __future__ import annotations

import os
import socket
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import serve
from cli.main import app


@pytest.fixture
def started(monkeypatch):
    """The servers the process would have become: command, environment, working directory."""
    calls = []

    def execve(program, command, environment):
        calls.append((command, environment, Path.cwd()))

    monkeypatch.chdir(Path.cwd())
    monkeypatch.setattr(serve.os, "execve", execve)
    return calls


def test_app_runs_streamlit_with_this_interpreter_from_any_folder(started, tmp_path, root):
    os.chdir(tmp_path)
    assert CliRunner().invoke(app, ["app", "--port", "8600"]).exit_code == 0
    ((command, _, folder),) = started
    page = str(root / "frontends" / "streamlit_app" / "app.py")
    assert command == [sys.executable, page, "--folders", "--server.port", "8600"]
    # Streamlit reads its settings from this folder.
    assert folder == root


def test_app_lets_streamlit_choose_the_port(started):
    assert CliRunner().invoke(app, ["app"]).exit_code == 0
    assert "--server.port" not in started[0][0]


def test_demo_listens_only_on_this_computer_and_sends_no_statistics(started, root):
    assert CliRunner().invoke(app, ["demo", "--port", "7900"]).exit_code == 0
    ((command, environment, _),) = started
    assert command == [sys.executable, str(root / "frontends" / "gradio_app" / "app.py")]
    assert environment["GRADIO_SERVER_NAME"] == "127.0.0.1"
    assert environment["GRADIO_SERVER_PORT"] == "7900"
    assert environment["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("command", ["app", "demo"])
@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_invalid_port_is_refused(started, command, port):
    assert CliRunner().invoke(app, [command, "--port", port]).exit_code == 2
    assert started == []


@pytest.mark.parametrize("command", ["app", "demo"])
def test_port_that_is_taken_is_refused(started, command):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = CliRunner().invoke(app, [command, "--port", str(port)])
    assert (result.exit_code, started) == (2, [])
    assert result.stderr.startswith(f"Error: Port {port} cannot be used")


@pytest.mark.parametrize("command", ["app", "demo"])
def test_variables_of_streamlit_and_gradio_do_not_change_the_pages(started, monkeypatch, command):
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "abc")
    result = CliRunner().invoke(app, [command])
    ((_, environment, _),) = started
    assert "STREAMLIT_SERVER_ADDRESS" not in environment
    assert environment.get("GRADIO_SERVER_PORT") is None
    assert "GRADIO_SERVER_PORT" in result.stderr


def test_streamlit_settings_protect_the_photos_of_users(root):
    config = tomllib.loads((root / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "localhost"
    assert config["server"]["enableXsrfProtection"] is True
    assert config["client"]["showErrorDetails"] == "none"
    assert config["browser"]["gatherUsageStats"] is False


def flatten(table, prefix=""):
    names = set()
    for name, value in table.items():
        if isinstance(value, dict):
            names |= flatten(value, f"{prefix}{name}.")
        else:
            names.add(prefix + name)
    return names


def test_streamlit_knows_every_setting(root):
    from streamlit import config as streamlit_config

    known = {option.key for option in streamlit_config._config_options_template.values()}
    config = tomllib.loads((root / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert flatten(config) <= known
