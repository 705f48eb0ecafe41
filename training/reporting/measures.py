"""How each artefact of the report is measured, as ``measures.toml`` lists it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EXAMPLES = {
    "data": "--data train.zip --data publictest.zip",
    "votes": "--votes ferplus_votes.csv",
    "photos": "--photos photos.zip",
    "natural-photos": "--natural-photos photos_natural.zip",
    "images": "--images val.zip",
    "boxes": "--boxes val.json",
    "negatives": "--negatives negatives.zip",
}
"""The inputs of `emotion report`, as a person gives them."""
_SLOT = re.compile(r"\{([\w-]+):?([\w.]*)\}")


@dataclass(frozen=True, slots=True)
class Measure:
    """One artefact and the command that writes it."""

    artefact: str
    """Its name in ``docs/results``, without the ending."""
    topic: str
    command: str
    """With slots for inputs and output; see ``measures.toml``."""
    minutes: int = 0
    module: str = "cli"
    """What Python runs; empty for a command that is shown and never run."""
    idle: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """Inputs that the command requires."""
        return tuple(slot[1] for slot in _SLOT.finditer(self.command) if slot[1] in _EXAMPLES)

    @property
    def output_file(self) -> str:
        """The file that the command writes; empty if it writes in place."""
        files = [slot[2] for slot in _SLOT.finditer(self.command) if slot[1] not in _EXAMPLES]
        return files[0] if files else ""

    def format_command(self) -> str:
        """Return the command line as a person types it."""
        starts = {"cli": "emotion ", "": ""}
        start = starts.get(self.module, f"python -m {self.module} ")
        return start + _SLOT.sub(_format_example, self.command)

    def build_arguments(self, given: Mapping[str, Sequence[str]], out: str) -> list[str]:
        """Return the command's words with what is ``given``; several values repeat the option."""
        words: list[str] = []
        for word in self.command.split():
            slot = _SLOT.fullmatch(word)
            if slot is None:
                words.append(word)
            elif slot[1] in _EXAMPLES:
                for value in given[slot[1]]:
                    words += [f"--{slot[2] or slot[1]}", value]
            else:
                words += ["--out", str(Path(out, slot[2])) if slot[1] == "file" else out]
        return words


def _format_example(slot: re.Match[str]) -> str:
    if slot[1] not in _EXAMPLES:
        return f"--out {slot[2] if slot[1] == 'file' else 'measured'}"
    return _EXAMPLES[slot[1]].replace(f"--{slot[1]} ", f"--{slot[2] or slot[1]} ")


def format_command_for_all() -> str:
    """Return the command that measures all of ``MEASURES``, on several lines."""
    needed = dict.fromkeys(need for each in MEASURES for need in each.needs)
    lines = ("emotion report --measure all", *(_EXAMPLES[need] for need in needed))
    return " \\\n    ".join(lines)


_LISTED = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
MEASURES = tuple(Measure(name, **values) for name, values in _LISTED["measure"].items())
"""Those that need no training, in the order in which they are measured."""
ELSEWHERE = tuple(
    Measure(name, **values, module="") for name, values in _LISTED["training"].items()
)
"""What `emotion report --measure` does not run: it trains, for minutes to days."""
