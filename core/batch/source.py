"""Sources of photos for a batch run: a local folder, or a folder in an object store."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError, UnreadableImage
from ..reading.isolation import IsolatedReader
from ..reading.limits import MAX_FILE_BYTES, check_bytes
from ..reading.reader import read_file
from ..types import RgbImage
from .system_files import Neighbours, Skip, is_system_folder

_LOCAL = ("file", "local")
_STORES = {
    *("memory", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "hdfs"),
    *("oci", "oss", "tos", "sftp", "ssh", "smb"),
}
"""Stores where people keep their own photos. Web protocols are left out on purpose, because this
project does not fetch pictures of people from the web."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, or a folder that cannot be opened."""

    path: str
    """Relative to the source, with "/" between folders."""
    stamp: str | None
    """Changes when the file's size or modification time changes.

    None for a link, pipe, device, socket, system file or the film of a Live Photo: it is not opened
    and gets no row.
    """
    film: bool = False
    """Whether it is the film of a Live Photo, whose photo gets a row."""


def open_source(directory: str) -> Source:
    """Return the source that ``directory`` names; ConfigError if it cannot be opened."""
    protocol, has_protocol, rest = directory.partition("://")
    if has_protocol and protocol in _LOCAL:
        directory = rest  # with the same rules for links, pipes and devices
    elif has_protocol:
        return ObjectStore.open(directory)
    folder = Path(directory)
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise ConfigError(
                "This is a file, not a folder.",
                hint="Name the folder with the photos; for single files use `emotion analyze`.",
            )
        os.scandir(folder).close()
    except OSError as error:
        raise ConfigError(
            f"The folder cannot be opened: {error.strerror}.", hint="Check the path."
        ) from error
    return LocalFolder(folder.resolve())


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder on this computer, or one that all workers see under the same path."""

    root: Path

    def walk(self, exclude: Container[str] = ()) -> Iterator[FoundFile]:
        """Yield every file below, sorted by name in each folder, except those in ``exclude``.

        Links are not followed, and bins and folders of thumbnails not entered.
        """
        pending = [""]
        while pending:
            folder = pending.pop()
            try:
                with os.scandir(self.root / folder) as entries:
                    listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
            except OSError as error:
                yield FoundFile(folder, compute_stamp("folder", error.errno))
                continue
            subfolders = []
            neighbours = Neighbours(entry.name for entry in listed)
            for entry in listed:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.path in exclude:
                    continue
                if not _is_folder(entry):
                    yield _describe_entry(entry, path, neighbours)
                elif is_system_folder(entry.name):
                    yield FoundFile(path, None)
                else:
                    subfolders.append(path)
            pending.extend(reversed(subfolders))

    def read(self, path: str, reader: IsolatedReader) -> RgbImage:
        """Return the photo at ``path``; InputError if it cannot be read."""
        full_path = self.root / path
        if os.path.isdir(full_path):  # noqa: PTH112 - Path.is_dir raises where it may not look
            # Only a folder that could not be listed has a row.
            raise _make_folder_error(full_path)
        # It may have become a link since it was listed.
        return reader.read(read_file(full_path, follow_links=False), name=full_path.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # a failing disk, for which reading it will give a message
        return False


def _make_folder_error(folder: Path) -> UnreadableImage:
    """Return the error for a folder that could not be listed."""
    try:
        os.scandir(folder).close()
    except PermissionError:
        return UnreadableImage(
            "You have no permission to open this folder.", hint="Allow yourself to read it."
        )
    except OSError as error:
        return UnreadableImage(
            f"This folder cannot be opened: {error.strerror}.", hint="Check the disk."
        )
    return UnreadableImage("This folder could not be listed.", hint="Run the command again.")


def _describe_entry(entry: os.DirEntry[str], path: str, neighbours: Neighbours) -> FoundFile:
    reason = neighbours.find_reason(entry.name)
    if reason is not None:
        return FoundFile(path, None, film=reason is Skip.FILM)
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:  # it is gone again; reading it will fail with a message
        return FoundFile(path, compute_stamp("gone", error.errno))
    if not stat.S_ISREG(status.st_mode):
        return FoundFile(path, None)
    return FoundFile(path, compute_stamp(status.st_size, status.st_mtime_ns))


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A folder in a file or object store that fsspec or Arrow can open."""

    files: Any = field(repr=False)
    """An fsspec file system."""
    root: str

    @classmethod
    def open(cls, address: str) -> ObjectStore:
        """Return the folder at ``address``; ConfigError if no known store has such addresses."""
        protocol = address.partition("://")[0]
        # fsspec would read another address after "::".
        if protocol not in _STORES or "::" in address:
            raise ConfigError(
                f"Photos are not read from {protocol}:// addresses.",
                hint="Name a folder, or one in your own object store, such as s3://bucket/photos. "
                "Photos are not fetched from the web: save those you may analyze in a folder.",
            )
        import fsspec

        try:
            return cls(*fsspec.core.url_to_fs(address))
        except (ImportError, ValueError) as error:
            # Arrow includes the large stores; fsspec needs a package for each.
            from fsspec.implementations.arrow import ArrowFSWrapper
            from pyarrow.fs import FileSystem  # type: ignore[attr-defined]

            try:
                files, root = FileSystem.from_uri(address)
            except (OSError, ValueError):
                raise ConfigError(
                    f"Photos cannot be read from {protocol}://: {error}",
                    hint="Name a folder, or install the package named in the message.",
                ) from error
            return cls(ArrowFSWrapper(files), root)

    def walk(self, exclude: Container[str] = ()) -> Iterator[FoundFile]:  # noqa: ARG002
        """Yield the files sorted by name in each folder."""

        def fail(error: OSError) -> None:
            raise ConfigError(
                f"The photos cannot be listed: {error}.",
                hint="Check the address and your permission to read there.",
            ) from error

        for _, folders, files in self.files.walk(self.root, detail=True, on_error=fail):
            neighbours = Neighbours(files)
            for name in sorted(files):
                facts = files[name]
                path = str(facts["name"])[len(self.root) :].lstrip("/")
                stamp = compute_stamp(facts.get("size"), _find_version(facts))
                reason = neighbours.find_reason(name)
                yield FoundFile(path, None if reason else stamp, film=reason is Skip.FILM)
            # Some stores list folders in no fixed order; fsspec visits them in this dict's order.
            in_order = sorted(each for each in folders.items() if not is_system_folder(each[0]))
            folders.clear()
            folders.update(in_order)

    def read(self, path: str, reader: IsolatedReader) -> RgbImage:
        full_path = f"{self.root.rstrip('/')}/{path}"
        try:
            size, data = int(self.files.size(full_path) or 0), b""
            if size <= MAX_FILE_BYTES:
                data = bytes(self.files.cat_file(full_path))
        except Exception as error:  # each store raises its own errors
            raise UnreadableImage(
                "The file cannot be fetched.",
                hint="Check the connection and that the file exists.",
            ) from error
        check_bytes(size)
        return reader.read(data, name=path.rpartition("/")[2])


def _find_version(facts: dict[str, Any]) -> object:
    """Return the value that changes with the object; every store names it differently."""
    names = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated")
    return next((facts[name] for name in (*names, "created") if facts.get(name) is not None), None)


Source = LocalFolder | ObjectStore
"""Gives photos by their paths; crosses a process boundary."""


def compute_stamp(*parts: object) -> str:
    """Return sixteen hexadecimal digits over ``parts``."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
