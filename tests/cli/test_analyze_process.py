"""`emotion analyze` as a separate process: pipes and locales."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from core import Emotion
from tests.fakes import picture, png

PROGRAM = """
import sys
import core
from tests.fakes import FakeAnalyzer
core.Analyzer.from_config = classmethod(lambda _class, config=None: FakeAnalyzer(config))
from cli import main
main.app(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX pipe")
@pytest.mark.parametrize("form", ["jsonl", "table"])
def test_closed_pipe_ends_the_command_quietly(root, tmp_path, form):
    photo = tmp_path / "two.png"
    photo.write_bytes(png(picture(Emotion.SAD, unsure=[Emotion.FEAR])))
    command = [sys.executable, "-c", PROGRAM, "analyze", *([photo] * 20), "--format", form]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()  # long before anything is written
        errors = process.stderr.read().decode()
        process.wait(120)
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors
    assert process.returncode == 1


def test_output_is_utf8_in_every_locale(root, tmp_path):
    photo = tmp_path / "Grüße 你好.png"
    photo.write_bytes(png(picture(Emotion.HAPPY)))
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "analyze", photo, "--format", "csv"],
        cwd=root,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "Grüße 你好.png" in result.stdout.decode()
