"""Commands whose output is closed, full, or goes to a terminal with few letters."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
from pathlib import Path

import pytest

from cli import terminal
from cli.streams import explain_disk_error

PROBE = """
import sys, types
from cli import main
def probe():
    open("/dev/null")  # must not take the place of a closed stream
    print("gesch\\u00e4tzt \\U0001f600", flush=True)
    print(sys.stdout.encoding, file=sys.stderr)
sys.modules["probe_module"] = types.SimpleNamespace(probe=probe)
main.COMMANDS["probe"] = "probe_module:probe"
main.app(["probe"])
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


def run_probe(root, redirection, **environment):
    command = [f'exec "$0" -c "$1" {redirection}', sys.executable, PROBE]
    return subprocess.run(
        ["sh", "-c", *command],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_a_sentence(root):
    result = run_probe(root, ">/dev/full")
    assert result.returncode == 1
    assert result.stderr.decode() == (
        "Error: Cannot write the output: No space left on device. "
        "Check permissions and free space there.\n"
    )
    assert run_probe(root, ">/dev/full 2>/dev/full").returncode == 1


def test_closed_streams_drop_what_is_printed(root):
    result = run_probe(root, "<&- >&-")
    assert (result.returncode, result.stderr) == (0, b"utf-8\n")
    assert run_probe(root, "<&- >&- 2>&-").returncode == 0


def test_letters_that_an_encoding_lacks_are_escaped(root):
    result = run_probe(root, "", PYTHONIOENCODING="latin-1")
    assert (result.returncode, result.stdout) == (0, b"gesch\xe4tzt \\U0001f600\n")


def test_names_in_a_table_are_escaped_before_columns_are_measured(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert terminal.make_printable("\u202e\u0417.jpg") == "\\u202e\\u0417.jpg"


def test_only_disks_and_permissions_are_explained():
    denied = OSError(errno.EACCES, "Permission denied", "a.txt")
    assert explain_disk_error(denied).startswith("Cannot read or write a.txt: Permission denied.")
    assert explain_disk_error(OSError(errno.ECONNREFUSED, "Connection refused")) == ""
    no_folder = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in []")
    error = OSError("Matplotlib requires a cache")
    error.__cause__ = no_folder
    assert "TMPDIR" in explain_disk_error(error)
