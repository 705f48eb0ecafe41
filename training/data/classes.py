"""The emotion that a class folder stands for, by its name or by a mapping file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from core.errors import DataError
from core.files import read_text
from core.labels import EMOTIONS, Emotion

_OTHER_NAMES = {
    "anger": Emotion.ANGRY,
    "disgusted": Emotion.DISGUST,
    "fearful": Emotion.FEAR,
    "happiness": Emotion.HAPPY,
    "sadness": Emotion.SAD,
    "surprised": Emotion.SURPRISE,
}

ClassMapping = Mapping[str, Emotion | None]
"""Emotion by folder name in lower case; None for a class that is left out."""


def parse_emotion(folder: str) -> Emotion:
    """Return the emotion with the name of a class folder; DataError for any other name."""
    lowered = folder.strip().lower()
    if lowered in _OTHER_NAMES:
        return _OTHER_NAMES[lowered]
    try:
        return Emotion(lowered)
    except ValueError:
        raise DataError(
            f"The class folder '{folder}' is not one of the seven emotions."
            if folder
            else "An image is not in a class folder.",
            hint=f"Put every image into a folder named {', '.join(EMOTIONS)}. "
            "Rename other folders, or leave them out.",
        ) from None


def parse_class(folder: str) -> str:
    """Return the emotion of a class folder, or its own name in lower case."""
    try:
        return parse_emotion(folder)
    except DataError:
        return folder.strip().lower()


def map_to_emotion(folder: str, mapping: ClassMapping | None) -> Emotion | None:
    """Return the emotion of a class folder, by ``mapping`` if there is one; None to leave it out.

    DataError for a folder that the mapping does not name.
    """
    if mapping is None:
        return parse_emotion(folder)
    try:
        return mapping[folder.strip().lower()]
    except KeyError:
        raise DataError(
            f"The label mapping does not say what the class folder '{folder}' stands for.",
            hint="Add a line for it; an empty emotion leaves the class out.",
        ) from None


def read_mapping(path: Path) -> ClassMapping:
    """Read a CSV with the columns ``class`` and ``emotion``; DataError for any other file.

    An empty emotion leaves the class out, for example contempt, which no network knows.
    """
    try:
        reader = csv.DictReader(StringIO(read_text(path), newline=""))
        if not {"class", "emotion"} <= set(reader.fieldnames or ()):
            raise ValueError("columns are missing")
        rows = [(row["class"].strip(), (row["emotion"] or "").strip()) for row in reader]
    except (OSError, csv.Error, ValueError, AttributeError) as error:
        raise DataError(
            f"'{path.name}' is not a label mapping.",
            hint="Needed: a CSV with the columns class and emotion, e.g. the line 4,happy.",
        ) from error
    return {folder.lower(): parse_emotion(name) if name else None for folder, name in rows}
