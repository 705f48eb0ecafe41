"""The parts of a data set, and which part a file belongs to; cheap to import."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath


class Split(StrEnum):
    """A part of a data set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


USAGES = {
    Split.TRAIN: "Training",
    Split.VALIDATION: "PublicTest",
    Split.TEST: "PrivateTest",
}
"""FER-2013's names of the splits; its file names begin with them and an underscore."""
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


def choose_split(path: PurePosixPath, source: str = "") -> Split:
    """Return the split of a file: by its prefix, else its folders, else a hash.

    ``path`` is relative to the folder or zip called ``source``, which counts as the outermost
    folder, so that ``--data faces/train --data faces/test`` keeps both splits apart.
    """
    for split, usage in USAGES.items():
        if path.name.startswith(f"{usage}_"):
            return split
    for folder in (*reversed(path.parts[:-2]), source):
        if folder.lower() in _FOLDERS:
            return _FOLDERS[folder.lower()]
    # Only class and name count, so that a folder and a zip of it are split the same way.
    key = f"{path.parent.name}/{path.name}".encode()
    digit = hashlib.sha256(key).digest()[0] * 10 // 256
    return (Split.VALIDATION, Split.TEST)[digit] if digit < 2 else Split.TRAIN


def is_in_split(path: PurePosixPath, source: str, split: Split | None) -> bool:
    """Return whether a file belongs to ``split``; None means all but FER-2013's test faces."""
    if split is None:
        # The official test split is for one final measurement, which must name it.
        return not path.name.startswith(f"{USAGES[Split.TEST]}_")
    return choose_split(path, source) is split


def describe_data(names: Sequence[str], sources: Sequence[Path]) -> str:
    """Return FER-2013's split if all ``names`` have its prefix, else the names of ``sources``."""
    for usage in USAGES.values():
        if names and all(name.startswith(f"{usage}_") for name in names):
            return f"FER-2013 {usage}"
    return ", ".join(path.name for path in sources)
