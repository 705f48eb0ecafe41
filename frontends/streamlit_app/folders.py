"""Folders of this computer: how the page Folder names, lists and checks them."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from core import ConfigError

MOST_LISTED = 200
"""Subfolders that a page lists; a person types the others."""
_HINT = "Check its spelling."


@dataclass(frozen=True, slots=True)
class Listing:
    """The subfolders of a folder, sorted by name, without hidden ones."""

    names: tuple[str, ...]
    left_out: int
    """Subfolders beyond the limit."""


def find_home() -> Path:
    """Return the person's folder; the top one for a user without a home."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(os.sep)


def find_start() -> Path:
    """Return the folder to begin with: the person's pictures, or home."""
    pictures = find_home() / "Pictures"
    return pictures if pictures.is_dir() else find_home()


def parse_folder(typed: str) -> Path:
    """Return the folder that a person typed, without links; ConfigError if it cannot be opened."""
    typed = typed.strip()
    if "://" in typed:
        raise ConfigError(
            "This is an address, not a folder of this computer.",
            hint="For an object store, use the command `emotion batch`.",
        )
    try:
        folder = Path(typed).expanduser()
        if not typed or not folder.is_absolute():
            raise ConfigError(
                "This is not the whole path of a folder.",
                hint="It begins with / or ~; on Windows with a drive, such as C:\\.",
            )
        folder = folder.resolve()
        os.scandir(folder).close()
    except NotADirectoryError as error:
        raise ConfigError("This is a file, not a folder.", hint=_HINT) from error
    except FileNotFoundError as error:
        raise ConfigError("There is no such folder.", hint=_HINT) from error
    except PermissionError as error:
        raise ConfigError(
            "You have no permission to open this folder.", hint="Choose another one."
        ) from error
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a zero, no such user
        raise ConfigError("This folder cannot be opened.", hint=_HINT) from error
    return folder


def list_subfolders(folder: Path) -> Listing:
    """Return the subfolders of ``folder``; those that cannot be named in a page are left out."""
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if _is_listed(each)]
    except OSError:
        return Listing((), 0)
    names.sort(key=str.casefold)
    return Listing(tuple(names[:MOST_LISTED]), max(0, len(names) - MOST_LISTED))


def _is_listed(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.name.isprintable() and entry.is_dir()


def suggest_results(photos: Path) -> Path:
    """Return a folder for the results: beside that of the photos, or at home if that is closed."""
    beside = photos.parent
    if beside == photos or not os.access(beside, os.W_OK):
        beside = find_home()
    return beside / f"{photos.name or 'photos'}-emotions"


def show_path(path: Path) -> str:
    """Return a path for people: ~ is home; invisible characters are spelled."""
    home = find_home()
    text = str(path)
    if path.is_relative_to(home) and home != Path(os.sep):
        text = str(Path("~", path.relative_to(home)))
    return "".join(
        f"\\u{{{ord(char):x}}}" if unicodedata.category(char)[0] == "C" else char for char in text
    )
