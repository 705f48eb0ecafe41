"""Labelled faces from a class-folder tree, a zip of one, or FER-2013's official CSV files."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DataError, InputError
from core.imaging.alignment import CROP_PX
from core.imaging.reader import read_image
from core.labels import EMOTIONS, Emotion
from core.types import UInt8Array


class Split(StrEnum):
    """Which part of a data set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


_PREFIXES = {
    "Training_": Split.TRAIN,
    "PublicTest_": Split.VALIDATION,
    "PrivateTest_": Split.TEST,
}
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
_OTHER_NAMES = {
    "anger": Emotion.ANGRY,
    "disgusted": Emotion.DISGUST,
    "fearful": Emotion.FEAR,
    "happiness": Emotion.HAPPY,
    "sadness": Emotion.SAD,
    "surprised": Emotion.SURPRISE,
}
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Labelled 48x48 grey faces held in memory (28,709 of them take 66 MB)."""

    images: UInt8Array
    """(N, 48, 48) uint8."""
    labels: NDArray[np.int64]
    """(N,) index into :data:`core.labels.EMOTIONS`."""
    names: tuple[str, ...]
    """File names without folders, which is how the crowd votes refer to them."""
    skipped: tuple[str, ...] = ()
    """Files that could not be read, each with the reason."""

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: NDArray[np.integer]) -> FaceSet:
        """The faces at ``indices``, in that order."""
        names = tuple(self.names[i] for i in indices)
        return FaceSet(self.images[indices], self.labels[indices], names, self.skipped)


def read_faces(sources: Sequence[Path], split: Split) -> FaceSet:
    """All faces of ``split`` found in ``sources``, in a stable order.

    A file's prefix gives its split (Training_, PublicTest_, PrivateTest_ as in FER-2013);
    without one a folder named train, validation or test does; without either the file goes
    by a hash of its path: eight in ten to training, one each to validation and test.
    Corrupt files are listed in ``skipped``. DataError when nothing is left.
    """
    images: list[UInt8Array] = []
    labels: list[int] = []
    names: list[str] = []
    skipped: list[str] = []
    for source in sources:
        for name, emotion, pixels in _faces_of(source, split, skipped):
            images.append(pixels)
            labels.append(EMOTIONS.index(emotion))
            names.append(name)
    if not images:
        raise DataError(
            f"No {split} faces found in {', '.join(path.name for path in sources)}.",
            hint="Expected folders named " + ", ".join(EMOTIONS) + " with images in them, "
            "a zip of such folders, or FER-2013's CSV file.",
        )
    return FaceSet(np.stack(images), np.array(labels, np.int64), tuple(names), tuple(skipped))


def _faces_of(
    source: Path, split: Split, skipped: list[str]
) -> Iterator[tuple[str, Emotion, UInt8Array]]:
    if not source.exists():
        raise DataError(f"There is no file or folder '{source}'.", hint="Check the path of --data.")
    if source.is_dir() and (source / "fer2013").is_dir():
        yield from _official_csv(source, split)
        return
    if source.suffix.lower() == ".csv":
        raise DataError(
            f"'{source.name}' must lie in a folder named fer2013.",
            hint="Give the folder above it: torchvision checks the official files there.",
        )
    for path, data in _files_of(source):
        if split_of(path) is not split:
            continue
        emotion = emotion_named(path.parent.name)
        try:
            yield path.name, emotion, grey_face(data)
        except InputError as error:
            skipped.append(f"{path}: {error.message}")


def _files_of(source: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Relative path and bytes of every image file, sorted by path."""
    if source.is_dir():
        for file in sorted(source.rglob("*")):
            if file.suffix.lower() in _IMAGE_SUFFIXES and file.is_file():
                yield PurePosixPath(file.relative_to(source).as_posix()), file.read_bytes()
        return
    if not zipfile.is_zipfile(source):
        raise DataError(
            f"'{source.name}' is neither a folder nor a zip file.",
            hint="Give a folder with one sub-folder per emotion, or a zip of one.",
        )
    with zipfile.ZipFile(source) as archive:
        for member in sorted(archive.namelist()):
            path = PurePosixPath(member)
            hidden = path.name.startswith(".") or "__MACOSX" in path.parts
            if path.suffix.lower() in _IMAGE_SUFFIXES and not hidden:
                yield path, archive.read(member)


def _official_csv(root: Path, split: Split) -> Iterator[tuple[str, Emotion, UInt8Array]]:
    from torchvision.datasets import FER2013

    # torchvision knows Training and the two test splits together ("test"); the usage column
    # tells those apart, so the order of rows is read beside it.
    try:
        dataset = FER2013(str(root), split="train" if split is Split.TRAIN else "test")
    except RuntimeError as error:
        raise DataError(
            "The CSV files differ from the official FER-2013 release.",
            hint="Kaggle's fer2013.csv, icml_face_data.csv or train.csv, unchanged, is needed.",
        ) from error
    wanted = next(p for p, s in _PREFIXES.items() if s is split).rstrip("_")
    usages = _official_usages(root / "fer2013", training=split is Split.TRAIN)
    for row, ((picture, label), usage) in enumerate(zip(dataset, usages, strict=True)):
        if usage == wanted:
            pixels = np.asarray(picture, dtype=np.uint8)
            yield f"{usage}_{row:05d}.png", EMOTIONS[int(label)], pixels


def _official_usages(folder: Path, *, training: bool) -> list[str]:
    for name in ("icml_face_data.csv", "fer2013.csv"):
        if (folder / name).exists():
            with (folder / name).open(newline="", encoding="utf-8") as file:
                rows = [
                    {key.strip(): value for key, value in row.items()}["Usage"]
                    for row in csv.DictReader(file)
                ]
            return [usage for usage in rows if (usage == "Training") is training]
    if training:
        with (folder / "train.csv").open(newline="", encoding="utf-8") as file:
            return ["Training"] * sum(1 for _ in csv.DictReader(file))
    raise DataError(
        "train.csv and test.csv alone do not tell the two test splits apart.",
        hint="Put the official fer2013.csv or icml_face_data.csv beside them.",
    )


def grey_face(data: bytes) -> UInt8Array:
    """The (48, 48) uint8 grey face in an image file; InputError when it cannot be read."""
    grey = cv2.cvtColor(read_image(data).pixels, cv2.COLOR_RGB2GRAY)
    if grey.shape != (CROP_PX, CROP_PX):
        reduces = min(grey.shape) > CROP_PX
        method = cv2.INTER_AREA if reduces else cv2.INTER_CUBIC
        grey = cv2.resize(grey, (CROP_PX, CROP_PX), interpolation=method)
    return np.asarray(grey, dtype=np.uint8)


def split_of(path: PurePosixPath) -> Split:
    """The split a file belongs to, by its prefix, else its folders, else a hash of its path."""
    for prefix, split in _PREFIXES.items():
        if path.name.startswith(prefix):
            return split
    for part in path.parts[:-2]:
        if part.lower() in _FOLDERS:
            return _FOLDERS[part.lower()]
    digit = hashlib.sha256(str(path).encode()).digest()[0] * 10 // 256
    return (Split.VALIDATION, Split.TEST)[digit] if digit < 2 else Split.TRAIN


def emotion_named(folder: str) -> Emotion:
    """The emotion a class folder stands for; DataError names the seven."""
    lowered = folder.strip().lower()
    if lowered in _OTHER_NAMES:
        return _OTHER_NAMES[lowered]
    try:
        return Emotion(lowered)
    except ValueError:
        raise DataError(
            f"The class folder '{folder}' is none of the seven emotions.",
            hint=f"Rename it to one of {', '.join(EMOTIONS)}, or leave it out.",
        ) from None


def class_counts(labels: Iterable[int]) -> dict[str, int]:
    """How many faces each emotion has, in canonical order."""
    counts = np.bincount(np.fromiter(labels, dtype=np.int64), minlength=len(EMOTIONS))
    return {str(emotion): int(count) for emotion, count in zip(EMOTIONS, counts, strict=True)}
