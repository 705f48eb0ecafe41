"""The unit of a diagnosis."""

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
    """One thing that was looked at."""

    name: str
    status: Status
    detail: str
    remedy: str = ""
    """The command or step that mends it; empty when nothing needs mending."""
    debian_packages: tuple[str, ...] = ()
    """What ``apt-get install`` would mend it, on Debian and its descendants."""

    @property
    def is_problem(self) -> bool:
        """Whether it keeps the application from working."""
        return self.status is Status.PROBLEM
