"""How each artefact of the report is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One artefact and the command that writes it."""

    artefact: str
    """Its name in ``docs/results``, without the ending."""
    told: str
    """What it says, for a heading."""
    command: tuple[str, ...]
    """The words after ``emotion``; ``{data}`` and its like stand for what a user gives."""
    written: str
    """The file the command leaves in ``{out}``."""
    minutes: str
    """About how long it takes on two CPU cores."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The inputs it cannot do without."""
        return tuple(word[1:-1] for word in self.command if word in {f"{{{n}}}" for n in INPUTS})

    def shown(self) -> str:
        """The command line as a person types it."""
        return " ".join(("emotion", *(_EXAMPLES.get(word, word) for word in self.command)))

    def words(self, given: Mapping[str, Sequence[str]], out: str) -> list[str]:
        """The command with what is given; every option of several values is repeated."""
        told: list[str] = []
        for word in self.command:
            if word == "{out}":
                told += ["--out", out]
            elif word.startswith("{"):
                for value in given[word[1:-1]]:
                    told += [_OPTIONS[word], value]
            else:
                told.append(word)
        return told


INPUTS = ("data", "votes", "photos", "images", "boxes", "negatives")
_OPTIONS = {f"{{{name}}}": f"--{name}" for name in INPUTS}
_EXAMPLES = {
    "{data}": "--data train.zip --data publictest.zip",
    "{votes}": "--votes ferplus_votes.csv",
    "{photos}": "--photos photos.zip",
    "{images}": "--images val.zip",
    "{boxes}": "--boxes val.json",
    "{negatives}": "--negatives negatives.zip",
    "{out}": "--out measured",
}

MEASURES: tuple[Measure, ...] = (
    Measure(
        "metrics_publictest",
        "the three networks and their ensemble",
        ("evaluate", "{data}", "--split", "validation", "{votes}", "--speed", "--record", "{out}"),
        "metrics.json",
        "5",
    ),
    Measure(
        "duplicates",
        "copies within and across the splits",
        ("duplicates", "{data}", "{out}"),
        "duplicates.json",
        "4",
    ),
    Measure(
        "frame",
        "how a face should be cut out",
        ("study", "frame", "{data}", "{photos}", "{out}"),
        "frame.json",
        "5",
    ),
    Measure(
        "landmarks",
        "misplaced landmarks",
        ("study", "landmarks", "{data}", "{photos}", "--sample", "300", "{out}"),
        "landmarks.json",
        "10",
    ),
    Measure(
        "mirrored",
        "landmarks of mirrored photos",
        ("study", "mirrored", "{images}", "{out}"),
        "mirrored.json",
        "1",
    ),
    Measure(
        "photos",
        "whole photos",
        ("evaluate", "{photos}", "{out}"),
        "photos.json",
        "1",
    ),
    Measure(
        "robustness",
        "groups of faces, and faces made worse",
        ("study", "robustness", "{data}", "{votes}", "--sample", "200", "{out}"),
        "robustness.json",
        "15",
    ),
)
"""Those that need no training, in the order of the report."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What ``emotion report --measure`` does not run.

    It writes to where it is used, needs a quiet computer of its own, or takes hours.
    """

    artefact: str
    told: str
    command: str

    def shown(self) -> str:
        """The command line as a person types it."""
        return self.command


_BOXES = "--images val.zip --boxes val.json --negatives negatives.zip"
ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        "detection",
        "operating points of the detectors",
        f"emotion detector tune --sweep {_BOXES}",
    ),
    Elsewhere(
        "detector_hybrid",
        "detection by the size of faces: hybrid, and with `--detector` and `--preset` the others",
        f"emotion detector evaluate --detector hybrid {_BOXES} --held-out --out hybrid",
    ),
    Elsewhere(
        "bench",
        "speed against the obvious implementation",
        "emotion bench --photos val.zip --out bench.json",
    ),
    Elsewhere("load", "many visitors at once", "python -m tests.load"),
    Elsewhere(
        "batch_soak", "a folder of thousands of files", "python -m tests.soak --out soak.json"
    ),
    Elsewhere(
        "manifest",
        "networks trained, calibrated and timed anew",
        "make weights DATA='train.zip publictest.zip' VOTES=ferplus_votes.csv",
    ),
)


def reproduce_all() -> str:
    """The command line that measures all of ``MEASURES`` and writes the report."""
    needed = dict.fromkeys(need for each in MEASURES for need in each.needs)
    given = [_EXAMPLES[f"{{{need}}}"] for need in needed]
    return " ".join(("emotion report --measure all", *given))
