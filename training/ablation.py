"""What each term of a recipe is worth: short runs that differ in one of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.classifiers.network import load_network
from core.config import Device
from core.errors import ConfigError
from core.weights import MANIFEST_NAME

from .calibrate import fitted
from .data import FaceSet, read_faces
from .evaluation.figures import with_intervals
from .evaluation.metrics import Probabilities
from .evaluation.paired import compare
from .export import read_entry
from .options import Precision, Split
from .progress import EpochReport
from .recipe import read_recipe
from .train import train_model
from .whole_files import write_whole

VARIANTS: Mapping[str, Mapping[str, str]] = {
    "all terms": {},
    "strong votes prior": {"votes_prior": "0.5"},
    "no votes head": {"votes_head": "0"},
    "no votes prior": {"votes_prior": "0"},
    "no mixup": {"mixup_chance": "0"},
    "no label smoothing": {"label_smoothing": "0"},
    "contrastive start": {"contrast_share": "0.3"},
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
FIGURES = ("accuracy", "macro_f1", "nll")


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
    ``only`` names the variants that are tried beside the run with all terms.
    """
    variants = _chosen(only, landmarks is not None, bool(teachers))
    common = dict(overrides or {})
    # All recipes are read before the first run: a slip is told at once, not an hour later.
    recipes = {
        name: read_recipe(model, {**common, **values}, recipe) for name, values in variants.items()
    }
    runs = {name: directory / name.replace(" ", "_") for name in recipes}
    validation = read_faces(sources, Split.VALIDATION)
    told: list[dict[str, Any]] = []
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
        figures = with_intervals(answers, validation.labels)
        row: dict[str, Any] = {"name": name, "values": dict(variants[name])}
        for figure in FIGURES:
            row[figure] = figures[figure]
            row[f"{figure}_interval"] = figures[f"{figure}_interval"]
        reference = answers if reference is None else reference
        comparison = compare(answers, reference, validation.labels)
        row["against_first"] = {
            "mcnemar_p": comparison.mcnemar_p,
            **{figure: dataclasses.asdict(comparison.differences[figure]) for figure in FIGURES},
        }
        told.append(row)
        shared = {
            "model": model,
            "init": Path(init).name,
            "faces": faces,
            "landmarks": landmarks is not None,
            "teachers": len(teachers),
        }
        _write(directory, shared, dataclasses.asdict(chosen), told)
    return Ablation(directory, tuple(told))


def _chosen(
    only: Sequence[str], landmarks: bool, teachers: bool
) -> Mapping[str, Mapping[str, str]]:
    possible = {
        **VARIANTS,
        **(WITH_LANDMARKS if landmarks else {}),
        **(WITH_TEACHERS if teachers else {}),
    }
    first = next(iter(possible))
    unknown = [name for name in only if name not in possible]
    if unknown:
        raise ConfigError(
            f"There is no variant '{unknown[0]}'.", hint=f"Possible: {', '.join(possible)}."
        )
    return {name: possible[name] for name in (first, *only)} if only else possible


def _answers(run: Path, model: str, faces: FaceSet, device: Device | str) -> Probabilities:
    """(N, 7) answers of a finished run, calibrated on these very faces like all the others."""
    logits = load_network(model, weights_dir=run, device=Device(device)).logits(faces.images)
    return fitted(logits, faces.labels).probabilities(logits)


def _require_same(run: Path, model: str, asked: tuple[str, int, bool, int]) -> None:
    """ConfigError when the finished ``run`` is not the one that is asked for."""
    told = read_entry(run, model)["training"]
    digest, faces = told["recipe_digest"], told["faces"]
    if (digest, faces, told["landmarks"], len(told["teachers"])) != asked:
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
    write_whole(directory / "ablation.json", (json.dumps(document, indent=2) + "\n").encode())
    write_whole(directory / "ablation.md", table(rows).encode())


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The runs as a Markdown table; differences to the first run with 95 % paired intervals."""
    lines = [
        "| run | accuracy, % | difference | macro-F1, % | difference | NLL | difference |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [row["name"]]
        for figure in FIGURES:
            scale, digits = (1, 3) if figure == "nll" else (100, 1)
            cells.append(f"{scale * row[figure]:.{digits}f}")
            gap = row["against_first"][figure]
            low, high = (scale * each for each in gap["interval"])
            cells.append(
                f"{scale * gap['value']:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"
                if row is not rows[0]
                else "–"
            )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
