"""FER-2013's official CSV files, read and checked by torchvision."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.errors import DataError
from core.labels import EMOTIONS, Emotion
from core.types import UInt8Array

from .splits import USAGES, Split

_FOLDER = "fer2013"
"""The name that torchvision expects for the folder of the files."""
_COMPLETE = ("fer2013.csv", "icml_face_data.csv")
"""Files with all splits, in torchvision's order of precedence."""


def find_official_folder(source: Path) -> Path | None:
    """Return the folder that torchvision needs if ``source`` is the official release, else None.

    ``source`` is a CSV file, its folder fer2013, or the folder above that. DataError for a CSV
    file in another folder.
    """
    if source.suffix.lower() == ".csv" and source.is_file():
        if source.parent.name != _FOLDER:
            raise DataError(
                f"'{source.name}' must be in a folder named {_FOLDER}.",
                hint="torchvision looks for the official files there and checks them.",
            )
        return source.parent.parent
    for root in (source, source.parent):
        folder = root / _FOLDER
        if any((folder / name).is_file() for name in (*_COMPLETE, "train.csv")) and (
            root == source or source.name == _FOLDER
        ):
            return root
    return None


def read_official_faces(root: Path, split: Split) -> Iterator[tuple[str, Emotion, UInt8Array]]:
    """Yield name, emotion and (48, 48) uint8 pixels of every face of ``split``.

    The name is ``<usage>_<row>.png`` with the row in the complete file, as in the crowd votes.
    DataError when the files differ from the official ones.
    """
    from torchvision.datasets import FER2013

    # torchvision has both test splits in one ("test"). Only the usage column tells them apart,
    # so it is read here.
    training = split is Split.TRAIN
    try:
        dataset = FER2013(str(root), split="train" if training else "test")
    except RuntimeError as error:
        raise DataError(
            "The CSV files differ from the official FER-2013 release.",
            hint="Use Kaggle's fer2013.csv, icml_face_data.csv or train.csv, unchanged.",
        ) from error
    rows = _read_usages(root / _FOLDER, training=training)
    for (picture, label), (row, usage) in zip(dataset, rows, strict=True):
        if usage == USAGES[split]:
            pixels = np.asarray(picture, dtype=np.uint8)
            yield f"{usage}_{row:05d}.png", EMOTIONS[int(label)], pixels


def _read_usages(folder: Path, *, training: bool) -> list[tuple[int, str]]:
    """Return number and usage of the rows that torchvision returns, in its order."""
    for name in _COMPLETE:
        if (folder / name).is_file():
            usages = [row["Usage"] for row in _read_rows(folder / name)]
            return [
                (row, usage)
                for row, usage in enumerate(usages)
                if (usage == "Training") is training
            ]
    if training:
        return [(row, "Training") for row, _ in enumerate(_read_rows(folder / "train.csv"))]
    raise DataError(
        "train.csv and test.csv do not say which rows belong to which test split.",
        hint="Put the official fer2013.csv or icml_face_data.csv beside them.",
    )


def _read_rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        # icml_face_data.csv has spaces around its column names.
        yield from (
            {key.strip(): value for key, value in row.items()} for row in csv.DictReader(file)
        )
