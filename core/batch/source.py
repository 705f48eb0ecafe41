"""Where the photos of a batch run lie: a folder, or one in an object store."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..errors import ConfigError, UnreadableImage
from ..reading.isolation import IsolatedReader
from ..reading.limits import MAX_BYTES, check_bytes
from ..types import RgbImage

_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What systems put into folders by themselves."""
_STORES = {
    *("file", "local", "memory", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "hdfs"),
    *("oci", "oss", "tos", "sftp", "ssh", "smb"),
}
"""Where people keep photos of their own. No protocol of the web is among them, because nothing
here fetches pictures of people from there."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, or a folder that cannot be opened: something that gets a row."""

    path: str
    """From the folder of the run, with "/" between folders."""
    stamp: str
    """Changes when the file's size or its time of change does."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """What is not opened: a link, a pipe, a device, a socket, or a system's own file."""

    path: str


class Source(Protocol):
    """Photos by their paths; crosses a process boundary."""

    def walk(self, own: Container[str]) -> Iterator[FoundFile | SkippedFile]:
        """Everything below, in a fixed order, but for the places in ``own``."""
        ...

    def read(self, path: str, reader: IsolatedReader) -> RgbImage:
        """The photo at ``path``; InputError where it cannot be read."""
        ...


def open_source(directory: str) -> Source:
    """The source that ``directory`` names; ConfigError if there is none."""
    if "://" in directory:
        return Store.at(directory)
    folder = Path(directory)
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise ConfigError(
                "This is a file, not a folder.",
                hint="Name the folder with the photos; `emotion analyze` answers single files.",
            )
        os.scandir(folder).close()
    except OSError as error:
        raise ConfigError(
            f"The folder cannot be opened: {error.strerror}.", hint="Check the path."
        ) from error
    return Folder(folder.resolve())


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this computer, or one that all workers see under the same path."""

    root: Path

    def walk(self, own: Container[str] = ()) -> Iterator[FoundFile | SkippedFile]:
        """Sorted by name in each folder; links are not followed."""
        waiting = [""]
        while waiting:
            inside = waiting.pop()
            try:
                with os.scandir(self.root / inside) as entries:
                    listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
            except OSError as error:
                yield FoundFile(inside, compute_stamp("folder", error.errno))
                continue
            folders = []
            for entry in listed:
                path = f"{inside}/{entry.name}" if inside else entry.name
                if entry.path in own:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                else:
                    yield _file(entry, path)
            waiting.extend(reversed(folders))

    def read(self, path: str, reader: IsolatedReader) -> RgbImage:
        full = self.root / path
        if full.is_dir():
            # Only a folder that could not be listed gets here.
            raise UnreadableImage(
                "The folder may not be opened.", hint="Give yourself the permission to read it."
            )
        return reader.read(full)


def _file(entry: os.DirEntry[str], path: str) -> FoundFile | SkippedFile:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:  # it vanished meanwhile; reading it will tell
        return FoundFile(path, compute_stamp("gone", error.errno))
    if not stat.S_ISREG(status.st_mode) or entry.name in _LITTER:
        return SkippedFile(path)
    return FoundFile(path, compute_stamp(status.st_size, status.st_mtime_ns))


@dataclass(frozen=True, slots=True)
class Store:
    """A folder in a store of files or objects that fsspec or Arrow opens."""

    files: Any = field(repr=False)
    """An fsspec file system."""
    root: str

    @classmethod
    def at(cls, address: str) -> Store:
        """The folder at ``address``; ConfigError where it is in no store that is read."""
        protocol = address.partition("://")[0]
        # fsspec takes what follows "::" for one more address.
        if protocol not in _STORES or "::" in address:
            raise ConfigError(
                f"No photos are read from such an address ({protocol}://).",
                hint="Name a folder, or one in a store of yours, such as s3://bucket/photos. "
                "Photos on the web are not fetched: save those that you may analyse into a folder.",
            )
        import fsspec

        try:
            return cls(*fsspec.core.url_to_fs(address))
        except (ImportError, ValueError) as error:
            # Arrow brings the large stores along; fsspec wants a package for each.
            from fsspec.implementations.arrow import ArrowFSWrapper
            from pyarrow.fs import FileSystem  # type: ignore[attr-defined]

            try:
                files, root = FileSystem.from_uri(address)
            except (OSError, ValueError):
                raise ConfigError(
                    f"No photos can be read from {protocol}://: {error}",
                    hint="Name a folder, or install the package that the message names.",
                ) from error
            return cls(ArrowFSWrapper(files), root)

    def walk(self, own: Container[str] = ()) -> Iterator[FoundFile | SkippedFile]:  # noqa: ARG002
        """Sorted by name in each folder."""
        try:
            yield from self._below(self.root)
        except OSError as error:
            raise ConfigError(
                f"The photos cannot be listed: {error}.",
                hint="Check the address, and whether you may read there.",
            ) from error

    def _below(self, folder: str) -> Iterator[FoundFile]:
        def failed(error: OSError) -> None:
            raise error

        for _, folders, files in self.files.walk(folder, detail=True, on_error=failed):
            for name in sorted(files):
                told = files[name]
                path = str(told["name"])[len(self.root) :].lstrip("/")
                yield FoundFile(path, compute_stamp(told.get("size"), _changed(told)))
            # Some stores give them in no particular order, and walk follows this one's.
            names = sorted(folders)
            ordered = {name: folders[name] for name in names}
            folders.clear()
            folders.update(ordered)

    def read(self, path: str, reader: IsolatedReader) -> RgbImage:
        full = f"{self.root.rstrip('/')}/{path}"
        try:
            size, data = int(self.files.size(full) or 0), b""
            if size <= MAX_BYTES:
                data = bytes(self.files.cat_file(full))
        except Exception as error:  # each store has errors of its own
            raise UnreadableImage(
                "The file cannot be fetched.", hint="Check the connection and whether it is there."
            ) from error
        check_bytes(size)
        return reader.read(data, name=path.rpartition("/")[2])


def _changed(told: dict[str, Any]) -> object:
    """What tells that an object changed; stores name it differently."""
    names = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated")
    return next((told[name] for name in (*names, "created") if told.get(name) is not None), None)


def compute_stamp(*parts: object) -> str:
    """Sixteen hexadecimal digits over ``parts``."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
