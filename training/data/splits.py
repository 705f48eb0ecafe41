"""The parts of a data set; cheap to import."""

from __future__ import annotations

from enum import StrEnum


class Split(StrEnum):
    """Which part of a data set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
