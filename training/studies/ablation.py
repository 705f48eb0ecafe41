"""What each term of a recipe is worth: short runs that differ in one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.classifiers.network import load_network
from core.config import Device
from core.errors import ConfigError
from core.files import atomic_write, write_json
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.output.intervals import format_with_interval
from core.weights import MANIFEST_NAME, read_spec

from ..data.balance import slice_pictures
from ..data.faces import FaceSet, read_faces
from ..data.slices import Slicing
from ..data.splits import Split
from ..evaluation.calibrate import fit_calibration
from ..evaluation.metrics import Labels, Probabilities
from ..evaluation.model_metrics import compute_headlines_with_intervals
from ..evaluation.paired import compare_models
from ..evaluation.release_gate import read_limits
from ..evaluation.worst_group import compute_worst_gap_difference, find_worst_group
from ..learning.export import read_entry
from ..learning.precision import Precision
from ..learning.progress import EpochReport
from ..learning.recipe import read_recipe
from ..learning.train import train_model

VARIANTS: Mapping[str, Mapping[str, str]] = {
    "all terms": {},
    "strong votes prior": {"votes_prior": "0.5"},
    "no votes head": {"votes_head": "0"},
    "no votes prior": {"votes_prior": "0"},
    "no mixup": {"mixup_chance": "0"},
    "no label smoothing": {"label_smoothing": "0"},
    "labels alone": {
        "votes_head": "0",
        "votes_prior": "0",
        "mixup_chance": "0",
        "label_smoothing": "0",
    },
}
"""Values that replace the recipe's, by run; the others are held to the first."""
WITH_LANDMARKS = {"no landmarks": {"shape": "0"}}
WITH_TEACHERS = {
    "no hints": {"hints": "0"},
    "no teachers": {"distillation": "0", "hints": "0"},
}
"""Runs that join them where landmarks or teachers are given."""
MITIGATIONS: Mapping[str, Mapping[str, str]] = {
    "emotions alike": {"emotion_balance": "1"},
    "emotions by root": {"emotion_balance": "0.5"},
    "groups by root": {"group_balance": "0.5"},
    "emotions and groups by root": {"emotion_balance": "0.5", "group_balance": "0.5"},
    "augmentation by group": {"group_augmentation": "1"},
}
"""Runs against bias, which join where they are asked for: no recipe has these terms. By root is
half of the way to all alike; with all groups alike a few rare faces would outweigh the others."""
FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "nll", "ece")
TABLES: Sequence[Mapping[str, str]] = (
    {"accuracy": "accuracy, %", "macro_f1": "macro-F1, %", "nll": "NLL"},
    {
        "balanced_accuracy": "balanced accuracy, %",
        "ece": "calibration error, %",
        "worst_gap": "worst group's gap, points",
    },
)
"""The figures of each table with their headings."""


@dataclass(frozen=True, slots=True)
class Ablation:
    """What was tried and where it lies."""

    directory: Path
    rows: tuple[Mapping[str, Any], ...]
    """Per run its figures on the validation faces, and the differences to the first run."""


def ablate(
    model: str,
    sources: Sequence[Path],
    directory: Path,
    *,
    init: str,
    votes: Path,
    faces: int,
    landmarks: Path | None = None,
    teachers: Sequence[Path] = (),
    only: Sequence[str] = (),
    overrides: Mapping[str, str] | None = None,
    recipe: Path | None = None,
    workers: int = 1,
    device: Device | str = Device.AUTO,
    precision: Precision | str = Precision.AUTO,
    compiled: bool = False,
    started: Callable[[str], None] | None = None,
    report: Callable[[EpochReport], None] | None = None,
) -> Ablation:
    """Train ``model`` once per variant on ``faces`` training faces; compare on validation.

    Every run is calibrated before it is measured, so that smoothing does not count as error.
    Runs that are finished already are not repeated. Writes ablation.json and ablation.md.
    ``only`` names the variants that are tried beside the run with all terms. Groups are those
    that the release gate looks at.
    """
    variants = choose_variants(only, landmarks is not None, bool(teachers))
    common = dict(overrides or {})
    # All recipes are read before the first run: a mistake shows at once, not an hour later.
    recipes = {
        name: read_recipe(model, {**common, **values}, recipe) for name, values in variants.items()
    }
    runs = {name: directory / name.replace(" ", "_") for name in recipes}
    validation = read_faces(sources, Split.VALIDATION)
    groups = _Groups.of(validation)
    rows: list[dict[str, Any]] = []
    reference: Probabilities | None = None
    for name, chosen in recipes.items():
        if (runs[name] / MANIFEST_NAME).exists():
            asked = (chosen.digest(), faces, landmarks is not None, len(teachers))
            _require_same(runs[name], model, asked)
        else:
            if started:
                started(name)
            train_model(
                chosen,
                sources,
                runs[name],
                init=init,
                votes=votes,
                landmarks=landmarks,
                teachers=teachers,
                resume=(runs[name] / "checkpoints" / "last.ckpt").exists(),
                workers=workers,
                device=device,
                precision=precision,
                compiled=compiled,
                limit=faces,
                report=report,
            )
        answers = _answers(runs[name], model, validation, device)
        reference = answers if reference is None else reference
        row = _compare_row(name, variants[name], answers, reference, validation.labels)
        groups.tell(row, answers, reference)
        rows.append(row)
        shared = {
            "model": model,
            "init": Path(init).name,
            "faces": faces,
            "landmarks": landmarks is not None,
            "teachers": len(teachers),
        }
        _write(directory, shared, dataclasses.asdict(chosen), rows)
    return Ablation(directory, tuple(rows))


def _compare_row(
    name: str,
    values: Mapping[str, str],
    answers: Probabilities,
    reference: Probabilities,
    labels: Labels,
) -> dict[str, Any]:
    """Return a run's metrics with intervals, and its differences to the first run."""
    figures = compute_headlines_with_intervals(answers, labels)
    comparison = compare_models(answers, reference, labels)
    row: dict[str, Any] = {"name": name, "values": dict(values)}
    for figure in FIGURES:
        row[figure] = figures[figure]
        row[f"{figure}_interval"] = figures[f"{figure}_interval"]
    row["against_first"] = {
        "mcnemar_p": comparison.mcnemar_p,
        **{figure: dataclasses.asdict(comparison.differences[figure]) for figure in FIGURES},
    }
    return row


@dataclass(frozen=True, slots=True)
class _Groups:
    """The validation faces in the groups that the release gate looks at."""

    labels: Labels
    slicings: Sequence[Slicing]
    least: int

    @classmethod
    def of(cls, faces: FaceSet) -> _Groups:
        limits = read_limits()
        slicings = slice_pictures(faces.images, FaceMeshLandmarks())
        looked_at = [each for each in slicings if each.name in limits.slicings]
        return cls(faces.labels, looked_at, limits.least_faces)

    def tell(self, row: dict[str, Any], answers: Probabilities, reference: Probabilities) -> None:
        """Add the worst group to ``row``, and how much less far behind it is; if there is one."""
        right, right_before = (each.argmax(axis=1) == self.labels for each in (answers, reference))
        worst = find_worst_group(right, self.labels, self.slicings, self.least)
        if worst is None:
            return
        row["worst_group"] = dataclasses.asdict(worst)
        row["worst_gap"] = worst.gap.value
        closed = compute_worst_gap_difference(
            right, right_before, self.labels, self.slicings, self.least
        )
        row["against_first"]["worst_gap"] = dataclasses.asdict(closed)


def choose_variants(
    only: Sequence[str], landmarks: bool, teachers: bool
) -> Mapping[str, Mapping[str, str]]:
    """Return the changed recipe values by variant; ConfigError for an unknown name in ``only``."""
    usual = {
        **VARIANTS,
        **(WITH_LANDMARKS if landmarks else {}),
        **(WITH_TEACHERS if teachers else {}),
    }
    possible = {**usual, **MITIGATIONS}
    first = next(iter(possible))
    unknown = [name for name in only if name not in possible]
    if unknown:
        raise ConfigError(
            f"There is no variant '{unknown[0]}'.", hint=f"Possible: {', '.join(possible)}."
        )
    return {name: possible[name] for name in (first, *only)} if only else usual


def _answers(run: Path, model: str, faces: FaceSet, device: Device | str) -> Probabilities:
    """(N, 7) answers of a finished run, calibrated on these very faces like all the others."""
    logits = load_network(read_spec(model, run), device=Device(device)).logits(faces.images)
    return fit_calibration(logits, faces.labels).probabilities(logits)


def _require_same(run: Path, model: str, asked: tuple[str, int, bool, int]) -> None:
    """ConfigError when the finished ``run`` is not the one that is asked for."""
    training = read_entry(run, model)["training"]
    digest, faces = training["recipe_digest"], training["faces"]
    if (digest, faces, training["landmarks"], len(training["teachers"])) != asked:
        raise ConfigError(
            f"'{run}' holds a run with another recipe or other faces.",
            hint="Give another folder with --out, or delete this one.",
        )


def _write(
    directory: Path,
    shared: Mapping[str, Any],
    recipe: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    varied = {value for row in rows for value in row["values"]}
    common = {name: value for name, value in recipe.items() if name not in varied}
    document = {**shared, "common": common, "runs": list(rows)}
    write_json(directory / "ablation.json", document)
    tables = [
        format_table(rows, figures) for figures in TABLES if all(f in rows[0] for f in figures)
    ]
    atomic_write(directory / "ablation.md", "\n".join(tables).encode())


def format_table(rows: Sequence[Mapping[str, Any]], figures: Mapping[str, str] = TABLES[0]) -> str:
    """The runs as a Markdown table; differences to the first run with 95 % paired intervals."""
    lines = [
        "| run | " + " | ".join(f"{each} | difference" for each in figures.values()) + " |",
        "|---|" + "---|---|" * len(figures),
    ]
    for row in rows:
        cells = [row["name"]]
        for figure in figures:
            scale, digits = (1, 3) if figure == "nll" else (100, 1)
            cells.append(f"{scale * row[figure]:.{digits}f}")
            gap = row["against_first"][figure]
            cells.append(
                format_with_interval(gap["value"], gap["interval"], f"+.{digits}f", scale=scale)
                if row is not rows[0]
                else "–"
            )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
