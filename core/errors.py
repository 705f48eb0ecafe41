"""Every error the project raises on purpose.

::

    ProjectError                 exit code   meaning
    ├── InputError                    2      the user's file cannot be read
    │   ├── UnreadableImage                  damaged, cut off, or not an image
    │   ├── UnsupportedImage                 an image in a format we do not read
    │   └── ImageTooLarge                    over a limit that keeps memory bounded
    ├── ConfigError                   2      an option or a combination makes no sense
    │   └── UnknownComponent                 a name that is not registered
    ├── DataError                     2      a data set cannot be used as given
    ├── WeightsError                  3      a network cannot be loaded
    │   ├── WeightsMissing                   not trained or not shipped
    │   └── WeightsCorrupt                   size or checksum differs from the manifest
    └── InferenceError                4      a network gave no usable answer

The message says what happened, the hint what to do next. Anything else that is
raised is a bug and surfaces with its traceback. No face found is not an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ProjectError(Exception):
    """Base of every deliberate error; carries a hint and the process exit code."""

    exit_code: int = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # Otherwise the hint is lost when an error crosses a process boundary.
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(kind: type[ProjectError], message: str, hint: str) -> ProjectError:
    error = kind.__new__(kind)
    ProjectError.__init__(error, message, hint=hint)
    return error


class InputError(ProjectError):
    """The user's file cannot be read."""

    exit_code = 2


class UnreadableImage(InputError):
    """Damaged, cut off, empty, or not an image."""


class UnsupportedImage(InputError):
    """An image in a format that we do not read."""


class ImageTooLarge(InputError):
    """More bytes or pixels than the reader accepts."""


class ConfigError(ProjectError):
    """An option, or a combination of options, makes no sense."""

    exit_code = 2


class UnknownComponent(ConfigError):
    """The name of a component that is not registered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        hint = f"{suggest_name(name, names)} Known: {', '.join(names)}.".lstrip()
        super().__init__(f"There is no {kind} named '{name}'.", hint=hint)


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return "Did you mean …?" with the name that is most like ``name``; empty if none is."""
    names = {_normalise(each): each for each in known}
    close = difflib.get_close_matches(_normalise(name), names, n=1)
    return f"Did you mean '{names[close[0]]}'?" if close else ""


def _normalise(name: str) -> str:
    return name.lower().replace("-", "_")


class DataError(ProjectError):
    """A data set cannot be used as given."""

    exit_code = 2


class WeightsError(ProjectError):
    """A network cannot be loaded."""

    exit_code = 3


class WeightsMissing(WeightsError):
    """The network is not trained yet, or its file is missing."""


class WeightsCorrupt(WeightsError):
    """Size or checksum differ from the manifest."""


class InferenceError(ProjectError):
    """A network gave no usable answer."""

    exit_code = 4
