"""What can be chosen for training and evaluation; costs nothing to import."""

from __future__ import annotations

from enum import StrEnum


class Split(StrEnum):
    """Which part of a data set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Precision(StrEnum):
    """In what numbers a run computes; ``auto`` is half precision on a GPU that has it."""

    AUTO = "auto"
    FULL = "32-true"
    BF16_MIXED = "bf16-mixed"
    F16_MIXED = "16-mixed"
