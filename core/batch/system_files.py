"""Files and folders that phones, computers and network storage put beside people's photos."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_FILES = (
    *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", ".directory", ".nomedia"),
    *(".picasa.ini", "picasa.ini", ".localized", "icon\r", ".ds_store", "._*", ".fuse_hidden*"),
    *(".nfs*", ".syncthing.*", ".sync.ffs_db", ".dropbox", ".dropbox.attr", "synofile_thumb_*"),
)
_FOLDERS = (
    *("$recycle.bin", "recycler", "system volume information", "lost+found", "@eadir", "#recycle"),
    *("#snapshot", "@recycle", "@recently-snapshot", ".@__thumb", ".@upload_cache", "@tmp"),
    *(".trash", ".trash-*", ".trashes", ".trashed-*", ".thumbnails", ".thumb", ".appledouble"),
    *(".spotlight-v100", ".fseventsd", ".temporaryitems", ".documentrevisions-v100", "__macosx"),
    *(".picasaoriginals", ".dropbox.cache", ".stversions", ".stfolder", ".snapshot", ".zfs"),
)
"""In small letters: bins, thumbnails and snapshots, whose photos are copies or were thrown away."""
_PHOTOS = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".heic", ".heif", ".hif", ".avif", ".png", ".webp", ".tif"),
        *(".tiff", ".bmp", ".gif", ".dng"),
    }
)
_FILMS = frozenset({".mov", ".mp4"})
_NOTES = frozenset({".aae", ".xmp", ".json", ".thm", ".pp3"})
"""What programs write about a photo: edits, ratings, the place."""


class Skip(enum.Enum):
    """Why a file gets no row."""

    SYSTEM = enum.auto()
    """A system wrote it, or a program about a photo beside it."""
    FILM = enum.auto()
    """The film of a Live Photo, whose photo is beside it."""


def is_system_folder(name: str) -> bool:
    """Return whether a folder holds nothing that its owner put there."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in _FOLDERS)


def is_photo_name(name: str) -> bool:
    """Return whether a file is called as photos are."""
    return PurePosixPath(name.lower()).suffix in _PHOTOS


class Neighbours:
    """The photos in one folder, to recognise what belongs to them."""

    def __init__(self, names: Iterable[str]) -> None:
        lower = (name.lower() for name in names)
        self._photos = {name for name in lower if PurePosixPath(name).suffix in _PHOTOS}
        self._stems = {PurePosixPath(name).stem for name in self._photos}

    def find_reason(self, name: str) -> Skip | None:
        """Return why the file of this name gets no row; None if it gets one."""
        name = name.lower()
        if any(fnmatchcase(name, pattern) for pattern in _FILES):
            return Skip.SYSTEM
        path = PurePosixPath(name)
        if path.suffix in _FILMS and path.stem in self._stems:
            return Skip.FILM
        if path.suffix in _NOTES and self._is_about_photo(path.stem):
            return Skip.SYSTEM
        return None

    def _is_about_photo(self, stem: str) -> bool:
        """Return whether ``stem`` is a photo's name, perhaps with more behind it."""
        # IMG_1.AAE, IMG_1.jpg.xmp, IMG_1.jpg.supplemental-metadata.json
        front, _, behind = stem.rpartition(".")
        return (
            stem in self._stems or stem in self._photos or (bool(behind) and front in self._photos)
        )
