"""The image files in a folder or zip, damaged ones included."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from core.errors import DataError, UnreadableImage
from core.reading.limits import check_bytes
from core.reading.reader import read_file

_UNPACK_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,  # also raised by bz2
    RuntimeError,  # encrypted, or a compression that Python does not know
    ValueError,  # a name that is not valid text
)
"""What unpacking a file of a damaged zip can raise."""
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


def iter_image_files(source: Path) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    """Yield the relative path of every image file, sorted, with a function that reads it.

    The function raises InputError for a file that cannot be read. DataError when ``source`` is
    neither a folder nor an intact zip.
    """
    check_source(source)
    if source.is_dir():
        for file in sorted(source.rglob("*")):
            path = PurePosixPath(file.relative_to(source).as_posix())
            if _is_image(path) and _may_be_file(file):
                yield path, partial(read_file, file)
        return
    if not zipfile.is_zipfile(source):
        raise DataError(
            f"'{source.name}' is neither a folder nor a complete zip file.",
            hint="Give a folder with one sub-folder per emotion, or a zip of one.",
        )
    with _open_zip(source) as archive:
        for member in sorted(archive.infolist(), key=lambda info: info.filename):
            path = PurePosixPath(member.filename)
            if _is_image(path):
                yield path, partial(_read_member, archive, member)


def check_source(source: Path) -> None:
    """Raise DataError unless ``source`` is a folder or an ordinary file.

    Looking for a zip in a pipe or a device could take forever.
    """
    try:
        mode = source.stat().st_mode
    except FileNotFoundError as error:
        raise DataError(
            f"There is no file or folder '{source}'.", hint="Check the path and its spelling."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"'{source}' cannot be read: {reason}.", hint="Check the path.") from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise DataError(
            f"'{source}' is neither a folder nor a file.", hint="Give a folder or a zip of one."
        )


def _is_image(path: PurePosixPath) -> bool:
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return path.suffix.lower() in _IMAGE_SUFFIXES and not hidden


def _may_be_file(file: Path) -> bool:
    """Return False for a folder, True for a file or a broken link, which is reported later."""
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return True


def _open_zip(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError) as error:
        # RuntimeError and ValueError: an impossible version or name.
        raise DataError(
            f"The zip '{source.name}' is damaged: its list of files cannot be read ({error}).",
            hint="Download it or pack it again.",
        ) from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    check_bytes(member.file_size)
    try:
        return archive.read(member)
    except _UNPACK_ERRORS as error:
        raise UnreadableImage(f"It cannot be unpacked from the zip ({error}).") from error
