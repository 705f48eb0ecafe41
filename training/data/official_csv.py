"""FER-2013's official CSV files, read and checked by torchvision."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.errors import DataError
from core.labels import EMOTIONS, Emotion
from core.types import UInt8Array

from .splits import Split

_FOLDER = "fer2013"
"""The name torchvision expects of the folder that holds the files."""
_WHOLE = ("fer2013.csv", "icml_face_data.csv")
"""Files with every split, in torchvision's order of precedence."""
_USAGES = {
    Split.TRAIN: "Training",
    Split.VALIDATION: "PublicTest",
    Split.TEST: "PrivateTest",
}


def find_official_folder(source: Path) -> Path | None:
    """The folder that torchvision wants when ``source`` is the official release, else None.

    ``source`` is a CSV file, the folder named fer2013 it lies in, or the folder above that.
    """
    if source.suffix.lower() == ".csv" and source.is_file():
        if source.parent.name != _FOLDER:
            raise DataError(
                f"'{source.name}' must lie in a folder named {_FOLDER}.",
                hint="torchvision looks for the official files there, and checks them.",
            )
        return source.parent.parent
    for root in (source, source.parent):
        folder = root / _FOLDER
        if any((folder / name).is_file() for name in (*_WHOLE, "train.csv")) and (
            root == source or source.name == _FOLDER
        ):
            return root
    return None


def read_official_faces(root: Path, split: Split) -> Iterator[tuple[str, Emotion, UInt8Array]]:
    """Name, emotion and (48, 48) uint8 pixels of every face of ``split``.

    A face is named ``<usage>_<row>.png`` by its row in the whole file, as the crowd votes
    name it. DataError when the files differ from the official ones.
    """
    from torchvision.datasets import FER2013

    # torchvision knows Training and the two test splits together ("test"); the usage column
    # tells those apart, so the order of rows is read beside it.
    training = split is Split.TRAIN
    try:
        dataset = FER2013(str(root), split="train" if training else "test")
    except RuntimeError as error:
        raise DataError(
            "The CSV files differ from the official FER-2013 release.",
            hint="Kaggle's fer2013.csv, icml_face_data.csv or train.csv, unchanged, is needed.",
        ) from error
    rows = _rows(root / _FOLDER, training=training)
    for (picture, label), (row, usage) in zip(dataset, rows, strict=True):
        if usage == _USAGES[split]:
            pixels = np.asarray(picture, dtype=np.uint8)
            yield f"{usage}_{row:05d}.png", EMOTIONS[int(label)], pixels


def _rows(folder: Path, *, training: bool) -> list[tuple[int, str]]:
    """Number and usage of the rows that torchvision returns, in its order."""
    for name in _WHOLE:
        if (folder / name).is_file():
            usages = [row["Usage"] for row in _read(folder / name)]
            return [
                (row, usage)
                for row, usage in enumerate(usages)
                if (usage == "Training") is training
            ]
    if training:
        return [(row, "Training") for row, _ in enumerate(_read(folder / "train.csv"))]
    raise DataError(
        "train.csv and test.csv alone do not tell the two test splits apart.",
        hint="Put the official fer2013.csv or icml_face_data.csv beside them.",
    )


def _read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        # icml_face_data.csv has blanks around its column names.
        yield from (
            {key.strip(): value for key, value in row.items()} for row in csv.DictReader(file)
        )
