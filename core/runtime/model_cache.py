"""Compiled networks cached on disk for the next start."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

FOLDER_VARIABLE = "PHOTO_EMOTION_CACHE"
"""Environment variable that names another folder; empty means no caching."""
_MOST = 48
"""Most files; the least recently used one is removed. All models and presets take half of it."""
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class ModelCache:
    """One compiled network, cached under everything it depends on.

    No failure here affects an answer: a file that cannot be read or has changed counts as missing,
    and one that cannot be written is compiled again next time. Native code reads compiled networks,
    so a file needs the checksum it was written with, and nobody else may have write permission on
    it or its folder.
    """

    def __init__(self, *depends_on: str) -> None:
        folder = cache_folder()
        name = hashlib.sha256("\0".join(depends_on).encode()).hexdigest()[:32]
        self._file = None if folder is None else folder / f"{name}.blob"

    def read(self) -> bytes | None:
        """Return what was written under this key; None if there is nothing that can be trusted."""
        if self._file is None:
            return None
        try:
            if not (_is_private(self._file.parent) and _is_private(self._file)):
                return None
            data = self._file.read_bytes()
            os.utime(self._file)
        except OSError:
            return None
        checksum, blob = data[:32], data[32:]
        return blob if hashlib.sha256(blob).digest() == checksum else None

    def write(self, blob: bytes) -> None:
        """Cache ``blob``, readable by its owner alone; readers see all of it or nothing."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(blob).digest() + blob)
                Path(name).replace(self._file)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            _evict_oldest(self._file.parent)

    def drop(self) -> None:
        """Remove what is cached under this key."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)


def cache_folder() -> Path | None:
    """Return the system's folder for cached files; None means no caching."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is not None:
        return Path(folder) if folder else None
    try:
        if sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        elif sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a user without a home
        return None
    return base / "photo-emotion" / "compiled"


def _is_private(path: Path) -> bool:
    """Return whether only this user may write it; on Windows the home folder ensures that."""
    if sys.platform == "win32":
        return True
    status = path.stat()
    return status.st_uid == os.getuid() and not status.st_mode & _OTHERS


def _evict_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.blob"), key=lambda each: each.stat().st_mtime)
    for file in files[:-_MOST]:
        file.unlink(missing_ok=True)
