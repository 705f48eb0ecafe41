"""The command `emotion` itself: help, exit codes of errors, and no heavy imports."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from cli import main
from core import ConfigError, UnreadableImage, WeightsMissing, __version__, escape_controls

BARE_COMMAND = """
import typer

app = typer.Typer()
app.command("one")(lambda: None)
app.command("two")(lambda: None)
app()
"""
"""The same help with typer alone: `emotion --help` must not take much longer than that."""


@pytest.fixture
def run(monkeypatch):
    """Run a function as the subcommand `probe`."""

    def runner(function, *arguments):
        module = type(sys)("probe_module")
        module.probe = function
        monkeypatch.setitem(sys.modules, "probe_module", module)
        monkeypatch.setitem(main.COMMANDS, "probe", "probe_module:probe")
        return CliRunner().invoke(main.app, ["probe", *arguments])

    return runner


def emotion(*arguments, **options):
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_version_is_that_of_the_library():
    result = CliRunner().invoke(main.app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout == f"emotion {__version__}\n"


@pytest.mark.parametrize("group", [(), ("study",), ("detector",), ("covered",)])
def test_help_shows_whole_sentences_in_a_narrow_terminal(monkeypatch, group):
    monkeypatch.setenv("COLUMNS", "60")
    text = CliRunner().invoke(main.app, [*group, "--help"]).stdout
    _, _, commands = text.partition("Commands:\n")
    assert commands.count("\n") > 3
    assert "..." not in commands
    assert commands.rstrip().endswith(".")
    assert "completion" not in text


def test_help_lists_every_command():
    result = CliRunner().invoke(main.app, ["--help"])
    assert result.exit_code == 0
    for name in main.COMMANDS:
        assert f"\n  {name} " in result.stdout


@pytest.mark.parametrize("name", sorted(main.COMMANDS))
def test_every_command_has_a_help_text(name):
    result = CliRunner().invoke(main.app, [name, "--help"])
    assert result.exit_code == 0
    # The usage line, an empty one, then the first sentence of the docstring.
    assert result.stdout.splitlines()[2].strip()


@pytest.mark.skipif(sys.platform == "win32", reason="needs the processor time of a child")
def test_help_is_almost_as_fast_as_that_of_a_bare_command(root):
    import resource

    def seconds(start):
        def spent():
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            return usage.ru_utime + usage.ru_stime

        before = spent()
        assert start().returncode == 0
        return spent() - before

    def bare():
        return subprocess.run(
            [sys.executable, "-c", BARE_COMMAND, "--help"], stdout=-1, check=False
        )

    # Processor time, measured in turns, best of three, so that other programs do not count.
    turns = [(seconds(lambda: emotion("--help", cwd=root)), seconds(bare)) for _ in range(3)]
    ours, theirs = (min(times) for times in zip(*turns, strict=True))
    assert ours < 1.5 * theirs


def test_help_imports_nothing_heavy(root):
    heavy = {"torch", "cv2", "mediapipe", "numpy", "streamlit", "gradio", "openvino"}
    code = (
        "import sys; from cli.main import app; app(['--help'], standalone_mode=False);"
        f"sys.exit(','.join({heavy!r} & set(sys.modules)) or None)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_unknown_command_is_refused_with_a_suggestion():
    result = CliRunner().invoke(main.app, ["doktor"])
    assert result.exit_code == 2
    assert "Did you mean 'doctor'?" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnreadableImage("It is cut off.", hint="Save it again."), 2),
        (ConfigError("No such option.", hint="Save it again."), 2),
        (WeightsMissing("Not trained.", hint="Save it again."), 3),
    ],
)
def test_project_error_becomes_message_hint_and_exit_code(run, error, code):
    def probe():
        raise error

    result = run(probe)
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr == f"Error: {error.message}\nSave it again.\n"


def test_escape_sequences_in_a_message_do_not_reach_the_terminal(run):
    def probe():
        raise UnreadableImage("bad: \x1b[2J\u202egpj.exe")

    result = run(probe)
    assert result.stderr == "Error: bad: \\x1b[2J\\u202egpj.exe\n"


def test_other_exceptions_are_not_caught(run):
    def probe():
        raise ZeroDivisionError

    assert isinstance(run(probe).exception, ZeroDivisionError)


def test_exit_code_of_a_command_is_kept(run):
    def probe():
        raise typer.Exit(1)

    assert run(probe).exit_code == 1


def test_interrupt_ends_with_130(run):
    def probe():
        raise KeyboardInterrupt

    result = run(probe)
    assert result.exit_code == 130
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX pipe")
def test_closed_pipe_ends_the_command_quietly(root):
    code = """
import sys, time
from cli import main
def probe():
    time.sleep(1)  # until the pipe is closed
    sys.stdout.write("too little to fill the buffer")
sys.modules["probe_module"] = type(sys)("probe_module")
sys.modules["probe_module"].probe = probe
main.COMMANDS["probe"] = "probe_module:probe"
main.app(["probe"])
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_incomplete_installation_says_how_to_complete_it(root):
    # -S leaves site-packages out, and with them typer.
    result = subprocess.run(
        [sys.executable, "-S", "-m", "cli", "doctor"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == "The package typer is missing. To install it: make install\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("grün 猫.jpg", "grün 猫.jpg"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[31m\t\r", "\\x1b[31m\\t\\r"),
        ("\u202efdp\u200b", "\\u202efdp\\u200b"),
    ],
)
def test_control_characters_are_made_printable(text, expected):
    assert escape_controls(text) == expected


def test_lines_of_our_own_texts_can_be_kept():
    assert escape_controls("two\nlines\x1b", keep_lines=True) == "two\nlines\\x1b"
