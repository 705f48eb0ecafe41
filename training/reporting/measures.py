"""How each artefact of the report is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measure:
    """One artefact and the command that writes it."""

    artefact: str
    """Its name in ``docs/results``, without the ending."""
    topic: str
    """What it says, for a heading."""
    command: tuple[str, ...]
    """The words after ``emotion``; ``{data}`` and its like stand for what a user gives, and
    ``{images:photos}`` for the images given as ``--photos``."""
    written: str
    """The file that the command writes, into ``{out}`` or as ``{file}``; empty if in place."""
    minutes: str
    """About how long it takes on two CPU cores."""
    module: str = "cli"
    """What Python runs; another one than the command line's is a program of the tests."""
    idle: bool = False
    """Whether it is worth something only from a computer that does nothing else meanwhile."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The inputs it cannot do without."""
        return tuple(_slot(word)[0] for word in self.command if _slot(word)[0] in INPUTS)

    def shown(self) -> str:
        """The command line as a person types it."""
        first = "emotion" if self.module == "cli" else f"python -m {self.module}"
        return " ".join((first, *map(self._example, self.command)))

    def _example(self, word: str) -> str:
        if word == "{file}":
            return f"--out {self.written}"
        need, option = _slot(word)
        return _EXAMPLES.get(need, word).replace(f"--{need} ", f"--{option} ")

    def words(self, given: Mapping[str, Sequence[str]], out: str) -> list[str]:
        """The command with what is given; every option of several values is repeated."""
        words: list[str] = []
        for word in self.command:
            need, option = _slot(word)
            if word == "{out}":
                words += ["--out", out]
            elif word == "{file}":
                words += ["--out", str(Path(out, self.written))]
            elif need:
                for value in given[need]:
                    words += [f"--{option}", value]
            else:
                words.append(word)
        return words


def _slot(word: str) -> tuple[str, str]:
    """What ``{need:option}`` stands for; two empty texts for a word that is no slot."""
    if not word.startswith("{"):
        return "", ""
    need, _, option = word[1:-1].partition(":")
    return need, option or need


INPUTS = ("data", "votes", "photos", "images", "boxes", "negatives")
_EXAMPLES = {
    "data": "--data train.zip --data publictest.zip",
    "votes": "--votes ferplus_votes.csv",
    "photos": "--photos photos.zip",
    "images": "--images val.zip",
    "boxes": "--boxes val.json",
    "negatives": "--negatives negatives.zip",
    "out": "--out measured",
}
_BOXES = ("{images}", "{boxes}", "{negatives}")


def _detector(
    artefact: str, topic: str, *options: str, against: str | None = None, minutes: str = "1"
) -> Measure:
    against_it = ("--against", against) if against else ()
    command = ("detector", "evaluate", *options, *against_it, *_BOXES, "--held-out", "{out}")
    return Measure(artefact, topic, command, "detection.json", minutes)


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
        "detection",
        "operating points of the detectors, for `weights/detection.json`",
        ("detector", "tune", "--sweep", *_BOXES),
        "",
        "20",
    ),
    _detector(
        "detector_hybrid",
        "detection by the size of faces: hybrid",
        *("--detector", "hybrid"),
        against="mtcnn",
        minutes="2",
    ),
    _detector(
        "detector_hybrid_fast",
        "hybrid, fast",
        *("--detector", "hybrid", "--preset", "fast"),
    ),
    _detector(
        "detector_mtcnn_thorough",
        "mtcnn, thorough",
        *("--detector", "mtcnn", "--preset", "thorough"),
    ),
    _detector("detector_mtcnn", "mtcnn, balanced", *("--detector", "mtcnn")),
    _detector(
        "detector_compact",
        "compact, balanced",
        *("--detector", "compact"),
        against="mtcnn",
        minutes="2",
    ),
    _detector(
        "detector_compact_precision",
        "compact, tuned for precision",
        *("--detector", "compact", "--operating-point", "precision"),
        against="facenet-pytorch",
        minutes="3",
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
    Measure(
        "bench",
        "speed against the obvious implementation",
        ("bench", "{images:photos}", "{file}"),
        "bench.json",
        "15",
        idle=True,
    ),
    Measure(
        "load",
        "many visitors at once",
        ("{file}",),
        "load.json",
        "15",
        module="tests.load",
        idle=True,
    ),
    Measure(
        "batch_soak",
        "a folder of thousands of files",
        ("{file}",),
        "soak.json",
        "10",
        module="tests.soak",
        idle=True,
    ),
)
"""Those that need no training, in the order in which they are measured."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What ``emotion report --measure`` does not run: it trains, for minutes to days."""

    artefact: str
    topic: str
    command: str

    def shown(self) -> str:
        """The command line as a person types it."""
        return self.command


ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        "manifest",
        "networks trained, calibrated and timed anew",
        "make weights DATA='train.zip publictest.zip' VOTES=ferplus_votes.csv",
    ),
    Elsewhere(
        "ablation_mitigation",
        "training against bias",
        "emotion ablate --only 'emotions alike' … --out ablation",
    ),
)


def format_command_for_all() -> str:
    """The command that measures all of ``MEASURES`` and writes the report, on several lines."""
    needed = dict.fromkeys(need for each in MEASURES for need in each.needs)
    lines = ("emotion report --measure all", *(_EXAMPLES[need] for need in needed))
    return " \\\n    ".join(lines)
