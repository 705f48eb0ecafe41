"""What each term of a recipe contributes: short runs that differ in one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.calibration import blend_heads
from core.classifiers.architectures import build_network
from core.classifiers.network import BATCH, load_network
from core.errors import ConfigError
from core.files import atomic_write, write_json
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.output.intervals import format_with_interval
from core.types import Float32Array, UInt8Array
from core.weights import MANIFEST_NAME, WeightsSpec, read_spec

from ..data.balance import slice_pictures
from ..data.faces import read_faces
from ..data.slices import Slicing
from ..data.splits import Split
from ..evaluation.calibrate import fit_calibration
from ..evaluation.crowd import blend_readings, score_against_crowd
from ..evaluation.intervals import percentile_interval, resample_means
from ..evaluation.metrics import Labels, Probabilities, encode_labels
from ..evaluation.paired import compare_models, compute_mean_difference
from ..evaluation.release_gate import read_limits
from ..evaluation.worst_group import compute_worst_gap_difference, find_worst_group
from ..learning.checkpoint import LAST_CHECKPOINT
from ..learning.export import read_entry
from ..learning.loader import VOTES_TO_COUNT, read_vote_shares
from ..learning.progress import EpochReport
from ..learning.recipe import read_recipe
from ..learning.train import TrainingOptions, train_model
from .figures import measure_headlines

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
"""Values that replace the recipe's, by run; all runs are compared with the first."""
FOR_THE_CROWD: Mapping[str, Mapping[str, str]] = {
    "half the label": {"label_head": "0.5"},
    "no label": {"label_head": "0"},
    "twice the votes": {"votes_head": "1"},
    "half the label, twice the votes": {"label_head": "0.5", "votes_head": "1"},
    "larger faces": {"input_px": "112"},
    "128 px": {"input_px": "128"},
    "more dropout": {"dropout": "0.4"},
    "contempt counts for disgust": {"contempt": "1"},
    "half the distance of votes": {"votes_distance": "0.5"},
    "doubt is learnt": {"doubt": "0.3"},
}
"""Runs about the crowd head, only where ``only`` names them."""
CROWD_SHARE = 0.75
"""Share of the crowd head in the blend of both heads that is measured."""
WITH_LANDMARKS = {"no landmarks": {"shape": "0"}}
WITH_TEACHERS = {
    "no hints": {"hints": "0"},
    "no teachers": {"distillation": "0", "hints": "0"},
}
"""Further runs where landmarks or teachers are given."""
MITIGATIONS: Mapping[str, Mapping[str, str]] = {
    "emotions alike": {"emotion_balance": "1"},
    "emotions by root": {"emotion_balance": "0.5"},
    "groups by root": {"group_balance": "0.5"},
    "emotions and groups by root": {"emotion_balance": "0.5", "group_balance": "0.5"},
    "augmentation by group": {"group_augmentation": "1"},
}
"""Runs against bias, only where ``only`` names them: no recipe has these terms. "By root" is half
of the way to equal weights; with equal weights for all groups a few rare faces would outweigh the
others."""
FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "nll", "ece")
TABLES: Sequence[Mapping[str, str]] = (
    {"accuracy": "accuracy, %", "macro_f1": "macro-F1, %", "nll": "NLL"},
    {
        "balanced_accuracy": "balanced accuracy, %",
        "ece": "calibration error, %",
        "worst_gap": "worst group's gap, points",
    },
    {
        "crowd_agreement": "crowd head agrees, %",
        "crowd_kl": "its KL",
        "blend_agreement": "blend agrees, %",
        "blend_kl": "its KL",
    },
    {
        "unmirrored_agreement": "crowd head without the mirror image agrees, %",
        "unmirrored_kl": "its KL",
    },
)
"""The figures of each table with their headings."""
_IN_NATS = ("nll", "crowd_kl", "blend_kl", "unmirrored_kl")


def ablate(
    model: str,
    sources: Sequence[Path],
    directory: Path,
    options: TrainingOptions,
    *,
    only: Sequence[str] = (),
    overrides: Mapping[str, str] | None = None,
    recipe: Path | None = None,
    started: Callable[[str], None] | None = None,
    report: Callable[[EpochReport], None] | None = None,
) -> list[dict[str, Any]]:
    """Train ``model`` once per variant with ``options``; compare on the validation faces.

    ``options`` must limit the faces, and have votes for the terms that use them. Returns for each
    run its figures and their differences to the first run; writes them to ablation.json and
    ablation.md. Every run is calibrated before it is measured, so that smoothing does not count as
    error. Agreement with the crowd is measured where five people named one of the seven emotions.
    Finished runs are not repeated. ``only`` names the variants to try beside the run with
    all terms. Groups are those that the release gate checks.
    """
    has_landmarks = options.landmarks is not None
    variants = choose_variants(only, has_landmarks, bool(options.teachers))
    # All recipes are read before the first run: a mistake shows at once, not an hour later.
    recipes = {
        name: read_recipe(model, {**(overrides or {}), **values}, recipe)
        for name, values in variants.items()
    }
    shared = {
        "model": model,
        "init": Path(options.init).name,
        "faces": options.limit,
        "landmarks": has_landmarks,
        "teachers": len(options.teachers),
    }
    validation = read_faces(sources, Split.VALIDATION)
    limits = read_limits()
    slicings = [
        each
        for each in slice_pictures(validation.images, FaceMeshLandmarks())
        if each.name in limits.slicings
    ]
    rows: list[dict[str, Any]] = []
    crowd = read_vote_shares(validation, options.votes, VOTES_TO_COUNT)
    voted = crowd.sum(axis=1) > 0
    reference: Probabilities | None = None
    first_scores: Mapping[str, NDArray[np.float64]] = {}
    for name, chosen in recipes.items():
        run = directory / name.replace(" ", "_")
        if (run / MANIFEST_NAME).exists():
            _require_same(run, model, {"recipe_digest": chosen.digest(), **shared})
        else:
            if started:
                started(name)
            resume = (run / LAST_CHECKPOINT).exists()
            train_model(chosen, sources, run, options, resume=resume, report=report)
        network = load_network(read_spec(model, run), device=options.device)
        logits = blend_heads(network.logits(validation.images), crowd_share=0)
        # Calibrated on the validation faces themselves, like all other runs.
        one_hot = encode_labels(validation.labels)
        answers = fit_calibration(logits, one_hot).probabilities(logits)
        reference = answers if reference is None else reference
        figures = _compare_answers(
            answers, reference, validation.labels, slicings, limits.least_faces
        )
        row = {"name": name, "values": dict(variants[name]), **figures}
        scores = _score_heads(read_spec(model, run), validation.images[voted], crowd[voted])
        first_scores = first_scores or scores
        for figure, values in scores.items():
            row[figure] = float(values.mean())
            row[f"{figure}_interval"] = percentile_interval(resample_means(values))
            difference = compute_mean_difference(values, first_scores[figure])
            row["against_first"][figure] = dataclasses.asdict(difference)
        rows.append(row)
        _write(directory, shared, dataclasses.asdict(chosen), rows)
    return rows


@torch.inference_mode()
def _score_heads(
    spec: WeightsSpec, faces: UInt8Array, crowd: Float32Array
) -> dict[str, NDArray[np.float64]]:
    """Return figure by figure how crowd head and blend agree with the (N, 7) ``crowd``.

    Empty without votes or without a crowd head. Answers are the mean over a face and its mirror
    image; ``unmirrored`` is the crowd head's for the face alone.
    """
    network = build_network(spec.name, spec.load())
    if network.crowd is None or not len(faces):
        return {}
    labels, people, unmirrored = [], [], []
    for start in range(0, len(faces), BATCH):
        inputs = torch.from_numpy(spec.preprocessing(faces[start : start + BATCH]))
        features = torch.stack([network.embed(each) for each in (inputs, inputs.flip(3))])
        labels.append(torch.softmax(network.head(features), dim=2).mean(dim=0))
        views = torch.softmax(network.crowd(features), dim=2)
        people.append(views.mean(dim=0))
        unmirrored.append(views[0])
    by_label, by_crowd, by_face = (
        torch.cat(each).double().numpy() for each in (labels, people, unmirrored)
    )
    blend = blend_readings(by_label, by_crowd, CROWD_SHARE)
    return {
        f"{reading}_{figure}": values
        for reading, answers in (
            ("crowd", by_crowd),
            ("blend", blend),
            ("unmirrored", by_face),
        )
        for figure, values in score_against_crowd(answers, crowd).items()
    }


def _compare_answers(
    answers: Probabilities,
    reference: Probabilities,
    labels: Labels,
    slicings: Sequence[Slicing],
    least_faces: int,
) -> dict[str, Any]:
    """Return a run's figures with intervals, and its differences to the first run.

    The worst group is left out where no group has ``least_faces``.
    """
    comparison = compare_models(answers, reference, labels)
    against_first: dict[str, Any] = {
        "mcnemar_p": comparison.mcnemar_p,
        **{name: dataclasses.asdict(comparison.differences[name]) for name in FIGURES},
    }
    row = {**measure_headlines(answers, labels, FIGURES), "against_first": against_first}
    right, right_before = (each.argmax(axis=1) == labels for each in (answers, reference))
    worst = find_worst_group(right, labels, slicings, least_faces)
    if worst is not None:
        row["worst_group"] = dataclasses.asdict(worst)
        row["worst_gap"] = worst.gap.value
        closed = compute_worst_gap_difference(right, right_before, labels, slicings, least_faces)
        against_first["worst_gap"] = dataclasses.asdict(closed)
    return row


def choose_variants(
    only: Sequence[str], landmarks: bool, teachers: bool
) -> Mapping[str, Mapping[str, str]]:
    """Return the changed recipe values by variant; ConfigError for an unknown name in ``only``."""
    usual = {
        **VARIANTS,
        **(WITH_LANDMARKS if landmarks else {}),
        **(WITH_TEACHERS if teachers else {}),
    }
    possible = {**usual, **FOR_THE_CROWD, **MITIGATIONS}
    first = next(iter(possible))
    unknown = [name for name in only if name not in possible]
    if unknown:
        raise ConfigError(
            f"There is no variant '{unknown[0]}'.", hint=f"Possible: {', '.join(possible)}."
        )
    return {name: possible[name] for name in (first, *only)} if only else usual


def _require_same(run: Path, model: str, expected: Mapping[str, Any]) -> None:
    """Raise ConfigError when the finished ``run`` is another one than ``expected``."""
    stored = read_entry(run, model)["training"]
    found = {**stored, "teachers": len(stored["teachers"])}
    if any(
        found[name] != expected[name]
        for name in ("recipe_digest", "faces", "landmarks", "teachers")
    ):
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
    """Return the runs as a Markdown table; differences to the first with paired 95 % intervals."""
    lines = [
        "| run | " + " | ".join(f"{each} | difference" for each in figures.values()) + " |",
        "|---|" + "---|---|" * len(figures),
    ]
    for row in rows:
        cells = [row["name"]]
        for figure in figures:
            if figure not in row:  # a run without a crowd head
                cells += ["–", "–"]
                continue
            scale, digits = (1, 3) if figure in _IN_NATS else (100, 1)
            cells.append(f"{scale * row[figure]:.{digits}f}")
            gap = row["against_first"][figure]
            cells.append(
                format_with_interval(gap["value"], gap["interval"], f"+.{digits}f", scale=scale)
                if row is not rows[0]
                else "–"
            )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
