"""Deleting visitors' files in time, whatever the framework's own deletion does.

Gradio forgets uploads that were cut off, and stops deleting for good once one entry of its list
cannot be deleted.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread


class UploadSweep:
    """A thread that deletes what has been in a folder for some time; for one server."""

    def __init__(self, folder: Path, keep_s: float) -> None:
        """Keep what is in ``folder`` now, such as the sample; delete all else after ``keep_s``."""
        self._folder = folder
        self._older_than_s = 0.9 * keep_s
        self._every_s = 0.1 * keep_s
        self._kept = {entry.path for entry in _list_entries(folder)}
        self._ended = Event()
        Thread(target=self._run, daemon=True, name="upload sweep").start()

    def end(self) -> None:
        """Stop deleting; the server deletes the whole folder."""
        self._ended.set()

    def sweep(self) -> None:
        """Delete what is too old. An entry that cannot be deleted does not keep the others."""
        latest = time.time() - self._older_than_s
        for entry in list(_list_entries(self._folder)):
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                # Not the modification time, which a file may bring with it.
                if entry.path in self._kept or status.st_ctime > latest:
                    continue
                path = Path(entry.path)
                remove = path.rmdir if stat.S_ISDIR(status.st_mode) else path.unlink
                remove()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            self.sweep()


def _list_entries(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """Yield everything below ``folder``, the content of a folder before the folder itself."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _list_entries(entry.path)
        yield entry
