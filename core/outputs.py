"""What a command is about to write, checked before it does anything."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import ConfigError
from .files import is_folder, part_path


def _is_never_ours(_path: Path) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Output:
    """A file that will be written, or replaced as a whole."""

    option: str
    """How the user named it, such as ``--out``; used in messages."""
    path: Path
    endings: tuple[str, ...] = ()
    """Endings that it may have, in lower case; none means any."""
    is_ours: Callable[[Path], bool] = _is_never_ours
    """Whether an existing file was written by an earlier run, which may be replaced unasked."""


def check_outputs(
    outputs: Sequence[Output],
    inputs: Iterable[Path] = (),
    *,
    overwrite: bool = False,
    makes_folders: bool = False,
) -> None:
    """Raise ConfigError if an output cannot be written or would destroy a file.

    An output may never be one of ``inputs``, whatever it is called: files are compared by what
    they are, so links and disks that ignore case are seen through. Nor may two outputs be the same
    file. An existing file is replaced only with ``overwrite`` or if it is ours.
    ``makes_folders`` says that missing folders will be made.
    """
    for output in outputs:
        _check_name(output, makes_folders=makes_folders)
    read = {_identify(path) for path in inputs}
    written: dict[object, Output] = {}
    for output in outputs:
        # New content is written to the second one first.
        for path in (output.path, part_path(output.path)):
            identity = _identify(path)
            if identity in read:
                raise ConfigError(
                    f"{output.option} would overwrite the input: {output.path}.",
                    hint="Choose another name. The input is unchanged.",
                )
            if identity in written:
                raise ConfigError(
                    f"{written[identity].option} and {output.option} are the same file.",
                    hint="Give them different names.",
                )
            written[identity] = output
    for output in outputs:
        if not overwrite and os.path.lexists(output.path) and not output.is_ours(output.path):
            raise ConfigError(
                f"{output.path} exists, and is not an earlier result of this command.",
                hint=f"Choose another name for {output.option}, or add --overwrite to replace it.",
            )


def check_folder_name(option: str, folder: Path) -> None:
    """Raise ConfigError if ``folder`` is a file, or if no folder can have that name."""
    try:
        is_file = folder.exists() and not folder.is_dir()
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"{option} cannot be {folder}: {what}.", hint="Choose another name."
        ) from error
    if is_file:
        raise ConfigError(f"{option} is a file: {folder}.", hint="Name a folder.")
    _check_place(option, folder, folder)


def _check_place(option: str, named: Path, folder: Path) -> None:
    """Raise ConfigError if ``folder`` is missing and cannot be made where it would be."""
    for place in (folder, *folder.parents):
        if is_folder(place):
            return
        if os.path.lexists(place):
            what = "a link that leads to no folder" if place.is_symlink() else "no folder"
            raise ConfigError(
                f"{option} cannot be {named}: {place} is {what}.", hint="Choose another name."
            )


def check_output_folder(option: str, folder: Path, inputs: Iterable[Path | None]) -> None:
    """Raise ConfigError if results in ``folder`` would replace or join one of ``inputs``.

    Those are folders and files; None stands for one that was not given. No result is a zip file.
    """
    check_folder_name(option, folder)
    here = _identify(folder)
    for path in filter(None, inputs):
        beside = not is_folder(path) and path.suffix.lower() != ".zip"
        if here == _identify(path.parent if beside else path):
            raise ConfigError(
                f"{option} is where the input {path} is.",
                hint="Name another folder, so that no result can replace or join an input.",
            )


def starts_with(start: bytes) -> Callable[[Path], bool]:
    """Return a check whether a regular file starts with ``start``."""
    return lambda path: _read_part(path, len(start)) == start


def contains(mark: bytes, within: int = 1024**2) -> Callable[[Path], bool]:
    """Return a check whether a regular file has ``mark`` in its first ``within`` bytes."""
    return lambda path: mark in _read_part(path, within)


def ends_with(end: bytes) -> Callable[[Path], bool]:
    """Return a check whether a regular file ends with ``end``."""
    return lambda path: _read_part(path, len(end), from_end=True) == end


def _read_part(path: Path, size: int, *, from_end: bool = False) -> bytes:
    """Return the first or last ``size`` bytes; nothing if it is no regular file or unreadable."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return b""
        with path.open("rb") as file:
            if from_end:
                file.seek(max(0, path.stat().st_size - size))
            return file.read(size)
    except OSError:
        return b""


def _check_name(output: Output, *, makes_folders: bool) -> None:
    path, option = output.path, output.option
    if output.endings and path.suffix.lower() not in output.endings:
        raise ConfigError(
            f"{option} must end in {' or '.join(output.endings)}: {path}.",
            hint=f"For example: {option} {path.stem or 'result'}{output.endings[0]}",
        )
    if not makes_folders and not is_folder(path.parent):
        raise ConfigError(
            f"There is no folder {path.parent} for {option} {path}.",
            hint="Make the folder first, or choose another.",
        )
    try:
        mode = path.stat().st_mode if path.exists() else stat.S_IFREG
        part_path(path).exists()  # the name may be too long for the disk
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"{option} cannot be written to {path}: {what}.", hint="Choose another name."
        ) from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
        raise ConfigError(f"{option} is {what}: {path}.", hint="Choose the name of a file.")
    _check_place(option, path, path.parent)
    if is_folder(path.parent) and not os.access(path.parent, os.W_OK):
        raise ConfigError(
            f"{option} cannot be written to {path}: no permission in its folder.",
            hint="Choose a folder that you may write to.",
        )


def _identify(path: Path) -> object:
    """Return a value that two paths share if they are the same file, or would be."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        # A disk may ignore case and the spelling of accents; if it does not, two names that
        # differ only so are refused as well.
        name = unicodedata.normalize("NFC", path.name).casefold()
        return os.path.realpath(path.parent), name
    return status.st_dev, status.st_ino
