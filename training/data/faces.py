"""Labelled faces from a class-folder tree, a zip of one, or FER-2013's official CSV files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DataError, InputError
from core.faces.alignment import CROP_PX
from core.labels import EMOTIONS
from core.reading.reader import read_in_process
from core.types import UInt8Array

from .classes import ClassMapping, map_to_emotion, parse_class
from .image_files import check_source, iter_image_files
from .official_csv import find_official_folder, read_official_faces
from .splits import Split, is_in_split


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Labelled 48x48 grey faces in memory (28,709 of them take 66 MB)."""

    images: UInt8Array
    """(N, 48, 48) uint8."""
    labels: NDArray[np.int64]
    """(N,) index into ``classes``."""
    names: tuple[str, ...]
    """File names without folders; the crowd votes refer to images by them."""
    skipped: tuple[str, ...] = ()
    """Files that could not be read, each with the reason."""
    classes: tuple[str, ...] = tuple(map(str, EMOTIONS))
    """The seven emotions, as :data:`core.labels.EMOTIONS`; :func:`find_any_faces` may add more."""

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: NDArray[np.int64]) -> FaceSet:
        """Return the faces at ``indices``, in that order."""
        names = tuple(self.names[i] for i in indices)
        return replace(self, images=self.images[indices], labels=self.labels[indices], names=names)


def read_faces(
    sources: Sequence[Path], split: Split | None, classes: ClassMapping | None = None
) -> FaceSet:
    """Return what :func:`find_faces` finds; DataError when it finds none."""
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
    """Return all faces of ``split`` in ``sources``, in a stable order; there may be none.

    A file's prefix gives its split (Training_, PublicTest_, PrivateTest_ as in FER-2013);
    without one, the nearest folder named train, validation or test does; without either, a hash
    of its class and name assigns eight in ten to training, one each to validation and test.
    None takes all of them except FER-2013's test faces. ``classes`` maps folders with other
    names to emotions. Corrupt files are listed in ``skipped``.
    """
    return _collect_faces(sources, split, lambda folder: map_to_emotion(folder, classes))


def find_any_faces(sources: Sequence[Path], split: Split | None) -> FaceSet:
    """Return the same as :func:`find_faces`, but every other folder name is a class of its own."""
    return _collect_faces(sources, split, parse_class)


def _collect_faces(
    sources: Sequence[Path], split: Split | None, class_of: Callable[[str], str | None]
) -> FaceSet:
    skipped: list[str] = []
    rows = [row for source in sources for row in _read_source(source, split, class_of, skipped)]
    names, labels, images = zip(*rows, strict=True) if rows else ((), (), ())
    stacked = np.stack(images) if images else np.zeros((0, CROP_PX, CROP_PX), np.uint8)
    classes = (*map(str, EMOTIONS), *sorted(set(labels).difference(EMOTIONS)))
    numbers = {label: number for number, label in enumerate(classes)}
    indices = np.array([numbers[label] for label in labels], np.int64)
    return FaceSet(stacked, indices, names, tuple(skipped), classes)


def _read_source(
    source: Path,
    split: Split | None,
    class_of: Callable[[str], str | None],
    skipped: list[str],
) -> Iterator[tuple[str, str, UInt8Array]]:
    check_source(source)
    official = find_official_folder(source)
    if official is not None:
        for part in (split,) if split else (Split.TRAIN, Split.VALIDATION):
            yield from read_official_faces(official, part)
        return
    for path, read in iter_image_files(source):
        if not is_in_split(path, source.stem, split):
            continue
        label = class_of(path.parent.name)
        if label is None:
            continue
        try:
            yield path.name, label, read_grey_face(read())
        except InputError as error:
            skipped.append(f"{path}: {error.message}")


def read_grey_face(data: bytes) -> UInt8Array:
    """Return the (48, 48) uint8 grey face in an image file; InputError when it is unreadable."""
    grey = cv2.cvtColor(read_in_process(data).pixels, cv2.COLOR_RGB2GRAY)
    if grey.shape != (CROP_PX, CROP_PX):
        shrinks = min(grey.shape) > CROP_PX
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        grey = cv2.resize(grey, (CROP_PX, CROP_PX), interpolation=method)
    return np.asarray(grey, dtype=np.uint8)


def sample_faces(faces: FaceSet, limit: int | None, seed: int) -> FaceSet:
    """Return ``limit`` random faces with every emotion's share kept; all if there are fewer."""
    if limit is None or limit >= len(faces):
        return faces
    from sklearn.model_selection import train_test_split

    try:
        chosen, _ = train_test_split(
            np.arange(len(faces)), train_size=limit, random_state=seed, stratify=faces.labels
        )
    except ValueError as error:
        raise DataError(
            f"{limit} of {len(faces)} faces are too few for all emotions.",
            hint="Take more of them; every emotion needs two.",
        ) from error
    return faces.subset(np.sort(chosen))


def count_classes(labels: Iterable[int]) -> dict[str, int]:
    """Return the number of faces of each emotion, in canonical order."""
    counts = np.bincount(np.fromiter(labels, dtype=np.int64), minlength=len(EMOTIONS))
    return {str(emotion): int(count) for emotion, count in zip(EMOTIONS, counts, strict=True)}
