"""Output of native code is discarded, and standard error is restored afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.live.native_stderr import discard_stderr


def say(text):
    os.write(2, text)


def test_native_output_is_discarded_only_inside_the_block(capfd):
    say(b"before ")
    with discard_stderr():
        say(b"inside ")
    say(b"after")
    assert capfd.readouterr().err == "before after"


def test_buffered_python_output_is_not_discarded(capfd):
    sys.stderr.write("buffered ")
    with discard_stderr():
        say(b"inside ")
    assert "buffered " in capfd.readouterr().err


def test_standard_error_is_restored_after_an_exception(capfd):
    with pytest.raises(KeyError), discard_stderr():
        raise KeyError
    say(b"after")
    assert capfd.readouterr().err == "after"


def test_two_threads_at_once_restore_standard_error(capfd):
    # Whoever comes second and leaves last must not put back what the first redirected.
    first_inside, first_leaves, second_leaves = (threading.Event() for _ in range(3))

    def first():
        with discard_stderr():
            first_inside.set()
            first_leaves.wait(5)

    def second():
        with discard_stderr():
            second_leaves.wait(5)

    one, other = threading.Thread(target=first), threading.Thread(target=second)
    one.start()
    first_inside.wait(5)
    other.start()
    other.join(0.2)  # time to come inside, were it let in
    first_leaves.set()
    one.join()
    second_leaves.set()
    other.join()
    say(b"after")
    assert capfd.readouterr().err == "after"


def test_no_descriptor_is_left_open():
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("counts open files in /proc")

    def opened():
        return len(list(descriptors.iterdir()))

    before = opened()
    for _ in range(20):
        with discard_stderr():
            pass
    assert opened() == before


@pytest.mark.parametrize("close", ["os.close(2)", "sys.stderr.close()", "sys.stderr = None"])
def test_closed_standard_error_is_accepted(root, close):
    code = (
        f"import os, sys; from core.live.native_stderr import discard_stderr; {close}\n"
        "with discard_stderr(): print('inside')"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stdout) == (0, "inside\n")
