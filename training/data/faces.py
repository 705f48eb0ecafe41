"""Labelled faces from a class-folder tree, a zip of one, or FER-2013's official CSV files."""

from __future__ import annotations

import hashlib
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DataError, InputError, UnreadableImage
from core.faces.alignment import CROP_PX
from core.labels import EMOTIONS
from core.reading.limits import check_bytes
from core.reading.reader import read_image
from core.types import UInt8Array

from .classes import ClassMapping, map_to_emotion, parse_class
from .official_csv import find_official_folder, read_official_faces
from .splits import Split

PREFIXES = {
    "Training_": Split.TRAIN,
    "PublicTest_": Split.VALIDATION,
    "PrivateTest_": Split.TEST,
}
"""How FER-2013's file names tell the split."""
_FOLDERS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "publictest": Split.VALIDATION,
    "test": Split.TEST,
    "privatetest": Split.TEST,
}
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,  # also bz2's error
    RuntimeError,  # encrypted, or a compression that Python does not know
    ValueError,  # a name that is no text
)
"""What taking a file out of a damaged zip can end with."""
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Labelled 48x48 grey faces held in memory (28,709 of them take 66 MB)."""

    images: UInt8Array
    """(N, 48, 48) uint8."""
    labels: NDArray[np.int64]
    """(N,) index into ``classes``."""
    names: tuple[str, ...]
    """File names without folders, which is how the crowd votes refer to them."""
    skipped: tuple[str, ...] = ()
    """Files that could not be read, each with the reason."""
    classes: tuple[str, ...] = tuple(map(str, EMOTIONS))
    """The seven emotions, as :data:`core.labels.EMOTIONS`; :func:`find_any_faces` may add more."""

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: NDArray[np.int64]) -> FaceSet:
        """The faces at ``indices``, in that order."""
        names = tuple(self.names[i] for i in indices)
        return replace(self, images=self.images[indices], labels=self.labels[indices], names=names)


def read_faces(
    sources: Sequence[Path], split: Split | None, classes: ClassMapping | None = None
) -> FaceSet:
    """As :func:`find_faces`; DataError when there is none."""
    faces = find_faces(sources, split, classes)
    if len(faces):
        return faces
    places = ", ".join(path.name for path in sources)
    kind = f"{split} " if split else ""
    if faces.skipped:
        raise DataError(
            f"None of the {len(faces.skipped)} {kind}files in {places} can be read.",
            hint=f"The first: {faces.skipped[0]}",
        )
    raise DataError(
        f"No {kind}faces found in {places}.",
        hint="Expected folders named " + ", ".join(EMOTIONS) + " with images in them, "
        "a zip of such folders, or FER-2013's CSV file.",
    )


def find_faces(
    sources: Sequence[Path], split: Split | None, classes: ClassMapping | None = None
) -> FaceSet:
    """All faces of ``split`` found in ``sources``, in a stable order; may be none.

    A file's prefix gives its split (Training_, PublicTest_, PrivateTest_ as in FER-2013);
    without one the nearest folder named train, validation or test does; without either the
    file goes by a hash of its class and name: eight in ten to training, one each to
    validation and test. None takes all of them but FER-2013's test faces. ``classes`` says what
    folders of other names stand for. Corrupt files are listed in ``skipped``.
    """
    return _found(sources, split, lambda folder: map_to_emotion(folder, classes))


def find_any_faces(sources: Sequence[Path], split: Split | None) -> FaceSet:
    """As :func:`find_faces`, but a folder of any other name is a class of its own.

    ``classes`` of what is returned begins with the seven emotions.
    """
    return _found(sources, split, parse_class)


def _found(
    sources: Sequence[Path], split: Split | None, class_of: Callable[[str], str | None]
) -> FaceSet:
    images: list[UInt8Array] = []
    labels: list[str] = []
    names: list[str] = []
    skipped: list[str] = []
    for source in sources:
        for name, label, pixels in _faces_of(source, split, class_of, skipped):
            images.append(pixels)
            labels.append(label)
            names.append(name)
    stacked = np.stack(images) if images else np.zeros((0, CROP_PX, CROP_PX), np.uint8)
    classes = (*map(str, EMOTIONS), *sorted(set(labels).difference(EMOTIONS)))
    numbers = {label: number for number, label in enumerate(classes)}
    indices = np.array([numbers[label] for label in labels], np.int64)
    return FaceSet(stacked, indices, tuple(names), tuple(skipped), classes)


def sample_faces(faces: FaceSet, limit: int | None, seed: int) -> FaceSet:
    """``limit`` of ``faces`` with every emotion's share kept; all of them where that is fewer."""
    if limit is None or limit >= len(faces):
        return faces
    from sklearn.model_selection import train_test_split

    try:
        kept, _ = train_test_split(
            np.arange(len(faces)), train_size=limit, random_state=seed, stratify=faces.labels
        )
    except ValueError as error:
        raise DataError(
            f"{limit} of {len(faces)} faces cannot stand for all emotions.",
            hint="Take more of them; every emotion needs two.",
        ) from error
    return faces.subset(np.sort(kept))


def _faces_of(
    source: Path,
    split: Split | None,
    class_of: Callable[[str], str | None],
    skipped: list[str],
) -> Iterator[tuple[str, str, UInt8Array]]:
    if not source.exists():
        raise DataError(f"There is no file or folder '{source}'.", hint="Check the path of --data.")
    official = find_official_folder(source)
    if official is not None:
        for part in (split,) if split else (Split.TRAIN, Split.VALIDATION):
            yield from read_official_faces(official, part)
        return
    for path, read in iter_image_files(source):
        if not _belongs(path, source.stem, split):
            continue
        label = class_of(path.parent.name)
        if label is None:
            continue
        try:
            yield path.name, label, read_grey_face(read())
        except InputError as error:
            skipped.append(f"{path}: {error.message}")


def _belongs(path: PurePosixPath, source: str, split: Split | None) -> bool:
    if split is None:
        # The official test split is for one final measurement, asked for by its name.
        return PREFIXES.get(path.name.partition("_")[0] + "_") is not Split.TEST
    return choose_split(path, source) is split


def iter_image_files(source: Path) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    """Relative path of every image file, sorted, and what reads its bytes."""
    if source.is_dir():
        for file in sorted(source.rglob("*")):
            path = PurePosixPath(file.relative_to(source).as_posix())
            if _wanted(path) and _lies_there(file):
                yield path, _File(file)
        return
    if not zipfile.is_zipfile(source):
        raise DataError(
            f"'{source.name}' is neither a folder nor a whole zip file.",
            hint="Give a folder with one sub-folder per emotion, or a zip of one.",
        )
    with _opened(source) as archive:
        for member in sorted(archive.infolist(), key=lambda each: each.filename):
            path = PurePosixPath(member.filename)
            if _wanted(path):
                yield path, _Member(archive, member)


def _opened(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError) as error:
        # RuntimeError and ValueError: a version or a name that makes no sense.
        raise DataError(
            f"The zip '{source.name}' is damaged: its list of files cannot be read ({error}).",
            hint="Download it or pack it again.",
        ) from error


def _lies_there(file: Path) -> bool:
    """Whether it is a file, or nobody can tell: a broken link is no folder, and is worth naming."""
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return True


def _wanted(path: PurePosixPath) -> bool:
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return path.suffix.lower() in _IMAGE_SUFFIXES and not hidden


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a folder; one that the system does not give is an unreadable image."""

    path: Path

    def __call__(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UnreadableImage(f"It cannot be read ({error.strerror}).") from error


@dataclass(frozen=True, slots=True)
class _Member:
    """One file of a zip; a damaged one is an unreadable image like any other."""

    archive: zipfile.ZipFile
    member: zipfile.ZipInfo

    def __call__(self) -> bytes:
        check_bytes(self.member.file_size)
        try:
            return self.archive.read(self.member)
        except _DAMAGED as error:
            raise UnreadableImage(f"It cannot be taken out of the zip ({error}).") from error


def read_grey_face(data: bytes) -> UInt8Array:
    """The (48, 48) uint8 grey face in an image file; InputError when it cannot be read."""
    grey = cv2.cvtColor(read_image(data).pixels, cv2.COLOR_RGB2GRAY)
    if grey.shape != (CROP_PX, CROP_PX):
        reduces = min(grey.shape) > CROP_PX
        method = cv2.INTER_AREA if reduces else cv2.INTER_CUBIC
        grey = cv2.resize(grey, (CROP_PX, CROP_PX), interpolation=method)
    return np.asarray(grey, dtype=np.uint8)


def choose_split(path: PurePosixPath, source: str = "") -> Split:
    """The split a file belongs to, by its prefix, else its folders, else a hash.

    ``path`` is relative to the folder or zip called ``source``, which counts as the outermost
    folder: ``--data faces/train --data faces/test`` mixes nothing.
    """
    for prefix, split in PREFIXES.items():
        if path.name.startswith(prefix):
            return split
    for part in (*reversed(path.parts[:-2]), source):
        if part.lower() in _FOLDERS:
            return _FOLDERS[part.lower()]
    # Only class and name count, so that a tree and a zip of it are split alike.
    told = f"{path.parent.name}/{path.name}".encode()
    digit = hashlib.sha256(told).digest()[0] * 10 // 256
    return (Split.VALIDATION, Split.TEST)[digit] if digit < 2 else Split.TRAIN


def count_classes(labels: Iterable[int]) -> dict[str, int]:
    """How many faces each emotion has, in canonical order."""
    counts = np.bincount(np.fromiter(labels, dtype=np.int64), minlength=len(EMOTIONS))
    return {str(emotion): int(count) for emotion, count in zip(EMOTIONS, counts, strict=True)}


def describe_data(names: Sequence[str], sources: Sequence[Path]) -> str:
    """What faces called ``names`` are: FER-2013's by their prefix, else their ``sources``."""
    for prefix in PREFIXES:
        if names and all(name.startswith(prefix) for name in names):
            return f"FER-2013 {prefix.rstrip('_')}"
    return ", ".join(path.name for path in sources)
