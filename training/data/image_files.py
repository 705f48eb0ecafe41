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
    if source.is_dir():
        for file in sorted(source.rglob("*")):
            path = PurePosixPath(file.relative_to(source).as_posix())
            if _is_image(path) and _may_be_file(file):
                yield path, partial(_read_file, file)
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


def _read_file(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnreadableImage(f"It cannot be read ({error.strerror}).") from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    check_bytes(member.file_size)
    try:
        return archive.read(member)
    except _UNPACK_ERRORS as error:
        raise UnreadableImage(f"It cannot be unpacked from the zip ({error}).") from error
