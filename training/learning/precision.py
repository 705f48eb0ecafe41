"""The number formats that a run can compute in; cheap to import."""

from __future__ import annotations

from enum import StrEnum


class Precision(StrEnum):
    """The number format of a run; ``auto`` is half precision on a GPU that has it."""

    AUTO = "auto"
    FULL = "32-true"
    BF16_MIXED = "bf16-mixed"
    F16_MIXED = "16-mixed"
