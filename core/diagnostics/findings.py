"""What a diagnosis consists of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    """Something is not available or untested; the rest works."""
    PROBLEM = "problem"
    """The application does not work, or not as measured."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    name: str
    status: Status
    detail: str
    remedy: str = ""
    """The command or step that fixes it; empty if nothing is wrong."""
    debian_packages: tuple[str, ...] = ()
    """Packages whose installation fixes it, on Debian and systems based on it."""

    @property
    def is_problem(self) -> bool:
        """Whether it keeps the application from working."""
        return self.status is Status.PROBLEM
