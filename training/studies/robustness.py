"""Where the answers are worse: groups of faces, and faces made worse on purpose.

``robustness.json`` holds, by model under ``models``:

- ``overall``: figures of all faces, with ``per_class``;
- ``slices``: by slicing a row for each group: ``accuracy``, ``macro_f1``, ``ece`` with intervals;
  ``gap``, the difference of accuracy to the other faces of the same label, with ``p`` and ``q``
  (``p`` adjusted for the number of groups); ``certain``, the share of answers that are given as
  certain, and ``certain_accuracy``; ``overconfidence``, mean top probability minus accuracy;
- ``worst``: the groups that are answered worse beyond chance (``q`` at most .05), worst first;
- ``curves``: by kind of degradation a row for each level, the first of them unchanged;
  ``change`` is the paired difference of accuracy to the unchanged faces, ``flips`` the share of
  answers that became others;
- ``mitigation``: what a temperature for each group and logit adjustment change.

``slicings`` says what the groups are made by, ``degradations`` in what units the levels are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.calibration import Calibration
from core.files import atomic_write, write_json
from core.labels import EMOTIONS
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.types import UInt8Array

from ..data.balance import slice_pictures
from ..data.faces import FaceSet, read_faces, sample_faces
from ..data.slices import Slicing, read_groups, slice_by_cluster, slice_by_votes
from ..data.splits import Split, describe_data
from ..data.votes import read_votes
from ..evaluation.disparity import Gap, adjust_p_values, compute_accuracy_gap
from ..evaluation.metrics import Labels, Probabilities, compute_per_class
from ..evaluation.model_metrics import compute_headlines_with_intervals
from ..evaluation.paired import compute_accuracy_difference
from .degradations import LEVELS, UNCHANGED, Degradation, degrade_faces
from .mitigation import compare_calibration_by_slice, measure_logit_adjustment, overconfidence
from .robustness_plots import plot_curves, plot_slices
from .studied_models import StudiedModels, embed_faces, load_models

FEWEST = 30
"""Faces below which a group is counted, and nothing is said of it."""
SIGNIFICANT = 0.05
_SHOWN = ("accuracy", "macro_f1", "nll", "ece")


@dataclass(frozen=True, slots=True)
class RobustnessStudy:
    """What was found and where it lies."""

    directory: Path
    report: Mapping[str, Any]
    """The content of ``robustness.json``."""


def study_robustness(
    sources: Sequence[Path],
    directory: Path,
    *,
    models: Sequence[str],
    weights_dir: Path | None = None,
    votes: Path | None = None,
    groups: Path | None = None,
    sample: int = 400,
    progress: Callable[[str], None] = lambda _text: None,
) -> RobustnessStudy:
    """Measure ``models`` on groups of the validation faces and on faces made worse.

    Writes robustness.json, robustness_slices.png and robustness_curves.png. All validation
    faces are parted; ``sample`` of them, with every emotion's share kept, are made worse.
    ``groups`` is a user's own CSV of groups, ``votes`` adds the crowd's disagreement.
    """
    faces = read_faces(sources, Split.VALIDATION)
    asked = load_models(models, weights_dir)
    progress(f"Parting {len(faces):,} faces …")
    slicings = _slicings(faces, asked, votes, groups)
    progress(f"Asking about {len(faces):,} faces …")
    logits = asked.logits(faces.images)
    result: dict[str, dict[str, Any]] = {}
    for name in models:
        calibration = asked.calibration(name)
        answers = calibration.probabilities(logits[name])
        slices, worst = _sliced(answers, faces.labels, calibration, slicings)
        result[name] = {
            "weights_sha256": asked.weights_sha256(name),
            "overall": {
                **_figures(answers, faces.labels, calibration),
                "per_class": compute_per_class(answers, faces.labels),
            },
            "slices": slices,
            "worst": worst,
            "mitigation": {
                "calibration_by_slice": compare_calibration_by_slice(
                    logits[name], faces.labels, calibration, slicings
                ),
                "logit_adjustment": measure_logit_adjustment(
                    answers, faces.labels, _trained_on(asked, name)
                ),
            },
        }
    part = sample_faces(faces, sample, seed=0)
    for name, curves in _curves(part, asked, progress).items():
        result[name]["curves"] = curves
    report = {
        "schema_version": 1,
        "data": describe_data(faces.names, sources),
        "n": len(faces),
        "made_worse": len(part),
        "votes": votes.name if votes else None,
        "groups": groups.name if groups else None,
        "slicings": {
            each.name: {"told": each.description, "groups": _described(each, faces.labels)}
            for each in slicings
        },
        "degradations": {
            kind.value: {"unchanged": UNCHANGED[kind], "levels": list(LEVELS[kind])}
            for kind in Degradation
        },
        "models": result,
    }
    write_json(directory / "robustness.json", report)
    atomic_write(directory / "robustness_slices.png", plot_slices(report))
    atomic_write(directory / "robustness_curves.png", plot_curves(report))
    return RobustnessStudy(directory, report)


def _slicings(
    faces: FaceSet, asked: StudiedModels, votes: Path | None, groups: Path | None
) -> list[Slicing]:
    """A user's own groups first, then all that need no file."""
    own = read_groups(groups, faces.names) if groups else []
    crowd = [slice_by_votes(read_votes(votes, faces.names))] if votes else []
    network = asked.first_network
    clusters = slice_by_cluster(embed_faces(network, faces.images), of=network.name)
    return [
        *own,
        *slice_pictures(faces.images, FaceMeshLandmarks()),
        *crowd,
        clusters,
    ]


def _trained_on(asked: StudiedModels, name: str) -> Mapping[str, int]:
    """Training faces by emotion of that model, or of the ensemble's first member."""
    counts: Mapping[str, int] = asked.training_facts(name)["faces_by_emotion"]
    return counts


def _described(slicing: Slicing, labels: Labels) -> list[dict[str, Any]]:
    """Each group with its size and its most frequent label."""
    result = []
    for index, group in enumerate(slicing.groups):
        inside = labels[slicing.member == index]
        entry: dict[str, Any] = {"group": group, "n": len(inside)}
        if len(inside):
            counts = np.bincount(inside, minlength=len(EMOTIONS))
            most = int(counts.argmax())
            entry["most"] = {"emotion": str(EMOTIONS[most]), "share": counts[most] / len(inside)}
        result.append(entry)
    return result


def _figures(answers: Probabilities, labels: Labels, calibration: Calibration) -> dict[str, Any]:
    result = compute_headlines_with_intervals(answers, labels)
    surest = answers.max(axis=1)
    certain = surest >= calibration.certain_from
    right = answers.argmax(axis=1) == labels
    return {
        "n": len(labels),
        **{name: result[name] for figure in _SHOWN for name in (figure, f"{figure}_interval")},
        "mean_confidence": float(surest.mean()),
        "overconfidence": overconfidence(answers, labels),
        "certain": float(certain.mean()),
        "certain_accuracy": float(right[certain].mean()) if certain.any() else None,
    }


def _sliced(
    answers: Probabilities, labels: Labels, calibration: Calibration, slicings: Sequence[Slicing]
) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Rows of every group by slicing, and those that are worse beyond chance."""
    right = answers.argmax(axis=1) == labels
    rows: dict[str, list[dict[str, Any]]] = {}
    tested: list[tuple[str, dict[str, Any], Gap]] = []
    for slicing in slicings:
        rows[slicing.name] = []
        # Faces that belong to no group are no part of the comparison.
        known = slicing.member >= 0
        for index, group in enumerate(slicing.groups):
            inside = slicing.member == index
            row: dict[str, Any] = {"group": group, "n": int(inside.sum())}
            rows[slicing.name].append(row)
            if row["n"] < FEWEST:
                continue
            row |= _figures(answers[inside], labels[inside], calibration)
            gap = compute_accuracy_gap(right[known], inside[known], labels[known])
            if gap is not None:
                tested.append((slicing.name, row, gap))
    for (_, row, gap), q in zip(
        tested, adjust_p_values([each.p for *_, each in tested]), strict=True
    ):
        row["gap"] = {"value": gap.value, "interval": list(gap.interval), "p": gap.p, "q": q}
    worse = [
        {"slicing": name, **{key: row[key] for key in ("group", "n", "accuracy", "gap")}}
        for name, row, _ in tested
        if row["gap"]["value"] < 0 and row["gap"]["q"] <= SIGNIFICANT
    ]
    return rows, sorted(worse, key=lambda each: float(each["gap"]["value"]))


def _curves(
    faces: FaceSet, asked: StudiedModels, progress: Callable[[str], None]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By model and kind a row for each level, beginning with the faces as they are."""
    before = asked.probabilities(faces.images)
    result: dict[str, dict[str, list[dict[str, Any]]]] = {name: {} for name in asked.names}
    for kind in Degradation:
        progress(f"Making {len(faces):,} faces worse: {kind} …")
        for name in asked.names:
            row = _changed(before[name], before[name], faces.labels, asked.calibration(name))
            result[name][kind.value] = [{"level": UNCHANGED[kind], **row}]
        for level in LEVELS[kind]:
            worse: UInt8Array = degrade_faces(faces.images, kind, level)
            for name, answers in asked.probabilities(worse).items():
                row = _changed(answers, before[name], faces.labels, asked.calibration(name))
                result[name][kind.value].append({"level": level, **row})
    return result


def _changed(
    answers: Probabilities, before: Probabilities, labels: Labels, calibration: Calibration
) -> dict[str, Any]:
    top, top_before = answers.argmax(axis=1), before.argmax(axis=1)
    return {
        **_figures(answers, labels, calibration),
        "flips": float((top != top_before).mean()),
        "change": dataclasses.asdict(
            compute_accuracy_difference(top == labels, top_before == labels)
        ),
    }
