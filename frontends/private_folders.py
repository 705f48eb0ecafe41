"""Folders for what one visit may keep on disk, which nobody else can read and which end with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

_PREFIX = "photo-emotion-visit-"
_FOLDERS: set[Path] = set()


def make_private_folder() -> Path:
    """Return a new empty folder that only this user can open."""
    delete_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    _FOLDERS.add(folder)
    return folder


def delete_folder(folder: Path) -> None:
    """Delete a folder with all that is in it; again if something was written meanwhile."""
    _FOLDERS.discard(folder)
    shutil.rmtree(folder, ignore_errors=True)


def delete_all_folders() -> None:
    """Delete every visit's folder: the server ends."""
    for folder in list(_FOLDERS):
        delete_folder(folder)


@cache
def delete_leftovers() -> None:
    """Delete the folders of a server that was killed; once in a process, before its first one."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and (int(owner) == os.getpid() or not _is_alive(int(owner))):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True
