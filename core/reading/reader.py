"""Reading a file: untrusted bytes in, an upright RGB image or an error out."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from ..errors import InputError, UnreadableImage
from ..types import RgbImage, UInt8Array
from .decoding import decode
from .formats import Format, identify
from .limits import MAX_FILE_BYTES, check_bytes

_KINDS_OF_FILE = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_Decode = Callable[[bytes, Format], tuple[UInt8Array, tuple[str, ...]]]
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_WITHOUT_LINKS = getattr(os, "O_NOFOLLOW", 0)


def read_in_process(source: bytes | Path, *, name: str | None = None) -> RgbImage:
    """Read an image as :func:`.isolation.read_image` does, but decode it in this process.

    For files of a data set that you trust: a decoder that crashes takes this process down.
    """
    return read_with(decode, source, name=name)


def read_with(decode: _Decode, source: bytes | Path, *, name: str | None) -> RgbImage:
    """Read the image in ``source`` with ``decode``, which turns a file's bytes into pixels."""
    if isinstance(source, Path):
        data, own_name = read_file(source), source.name
    elif isinstance(source, bytes):
        data, own_name = source, ""
        check_bytes(len(data))
    else:
        raise TypeError(f"expected bytes or a Path, got {type(source).__name__}")
    pixels, notes = decode(data, identify(data))
    return RgbImage(pixels, name if name is not None else own_name or "image", notes)


def read_file(path: Path, *, follow_links: bool = True) -> bytes:
    """Return the content of a regular file of at most MAX_FILE_BYTES; InputError if it is none."""
    flags = os.O_RDONLY | _WITHOUT_WAITING | (0 if follow_links else _WITHOUT_LINKS)
    try:
        _check_file(path.stat(follow_symlinks=follow_links))
        # The file may have been replaced since, so the open one is checked again. O_NONBLOCK,
        # because opening a pipe would wait for its other end.
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            _check_file(os.fstat(descriptor))
            data = file.read(MAX_FILE_BYTES + 1)  # the file may still be growing
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise _make_file_error(error) from error
    check_bytes(len(data))
    return data


def _check_file(status: os.stat_result) -> None:
    for is_kind, called in _KINDS_OF_FILE:
        if is_kind(status.st_mode):
            raise UnreadableImage(
                f"This is {called}, not an image file.", hint="Name an image file."
            )
    check_bytes(status.st_size)


def _make_file_error(error: Exception) -> InputError:
    # The message leaves out the path: it may hold anything, and a server must not reveal it.
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UnreadableImage("There is no such file.", hint="Check the path and its spelling.")
    if isinstance(error, PermissionError):
        return UnreadableImage(
            "You have no permission to read this file.", hint="Change its permissions."
        )
    reason = getattr(error, "strerror", None) or "its path is not valid"
    return UnreadableImage(f"The file cannot be read: {reason}.", hint="Check path and disk.")
