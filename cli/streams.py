"""Standard input and output of a command, in any terminal, pipe or file."""

from __future__ import annotations

import errno
import os
import sys

_DISK_ERRORS = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO")
    if hasattr(errno, name)
}
"""What goes wrong with a disk or its permissions, not with the program."""


def prepare_streams() -> None:
    r"""Let any text be printed, whatever the terminal can show and even if a stream is closed.

    What an encoding lacks comes out as an escape such as ``\U0001f600``. A closed stream is
    replaced by one that drops everything: otherwise the next file to be opened takes its place.
    """
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest free number, this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif hasattr(stream := getattr(sys, name), "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Drop what could not be written, so that no second error follows when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def explain_disk_error(error: OSError) -> str:
    """Return a sentence about ``error`` if a disk or its permissions caused it, else nothing."""
    cause: BaseException | None = error
    while cause is not None:
        if "No usable temporary directory" in str(cause):  # as the standard library says it
            return "There is no folder for temporary files; set TMPDIR to one."
        cause = cause.__cause__ or cause.__context__
    if error.errno not in _DISK_ERRORS:
        return ""
    what = f"read or write {error.filename}" if error.filename else "write the output"
    return f"Cannot {what}: {error.strerror}. Check permissions and free space there."
