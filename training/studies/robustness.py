"""Where the answers are worse: in groups of faces, and on faces degraded on purpose.

``robustness.json`` holds, by model under ``models``:

- ``overall``: figures of all faces, with ``per_class``;
- ``slices``: by slicing a row for each group: ``accuracy``, ``macro_f1``, ``ece`` with intervals;
  ``gap``, the difference of accuracy to the other faces of the same label, with ``p`` and ``q``
  (``p`` adjusted for the number of groups); ``certain``, the share of answers that count as
  certain, and ``certain_accuracy``; ``overconfidence``, mean top probability minus accuracy;
- ``worst``: the groups with significantly worse answers (``q`` at most .05), worst first;
- ``curves``: by kind of degradation a row for each level, the first of them unchanged;
  ``change`` is the paired difference of accuracy to the unchanged faces, ``flips`` the share of
  answers that changed;
- ``mitigation``: what a temperature for each group and logit adjustment change.

``slicings`` describes what the groups are based on, ``degradations`` the levels and their units.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.calibration import Calibration
from core.classifiers.model import load_trained_models
from core.files import atomic_write, write_json
from core.labels import EMOTIONS, Reading
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.weights import WeightsSpec, read_manifest

from ..data.balance import slice_pictures
from ..data.faces import FaceSet, read_faces, sample_faces
from ..data.slices import Slicing, read_groups, slice_by_cluster, slice_by_votes
from ..data.splits import Split, describe_data
from ..data.votes import read_votes
from ..evaluation.disparity import Gap, adjust_p_values, compute_accuracy_gap
from ..evaluation.metrics import Labels, Probabilities, compute_per_class
from ..evaluation.paired import compute_mean_difference
from ..reporting.plots import Panel, get_accuracy_point, plot_panels
from .degradations import LEVELS, UNCHANGED, Degradation, degrade_faces
from .figures import measure_flips, measure_headlines
from .mitigation import (
    compare_calibration_by_slice,
    compute_overconfidence,
    measure_logit_adjustment,
)
from .studied_models import Models, compute_logits, compute_probabilities, embed_faces

FEWEST = 30
"""Smaller groups are counted, but not measured."""
SIGNIFICANT = 0.05
_UNITS = {
    "gamma": "gamma (1: unchanged; higher: darker)",
    "blur": "blur, px of 48",
    "noise": "noise, grey values of 255",
    "jpeg": "JPEG quality, worse to the right",
    "rotation": "turned by, degrees",
    "eyes": "bar across the eyes, px of 48",
    "mouth": "bar across the mouth, px of 48",
}


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
) -> Mapping[str, Any]:
    """Measure ``models`` on groups of the validation faces and on degraded faces.

    Writes robustness.json, robustness_slices.png and robustness_curves.png; returns the content
    of the first. All validation faces are divided into groups; ``sample`` of them, with every
    emotion's share kept, are degraded. ``groups`` is a user's own CSV of groups, ``votes`` adds
    the crowd's disagreement.
    """
    faces = read_faces(sources, Split.VALIDATION)
    loaded = load_trained_models(models, weights_dir=weights_dir)
    specs = read_manifest(weights_dir)
    # The first network of each model.
    first = {name: specs[next(iter(model.members))] for name, model in loaded.items()}
    largest = max(loaded, key=lambda name: len(loaded[name].members))
    progress(f"Grouping {len(faces):,} faces …")
    slicings = _make_slicings(faces, first[largest], votes, groups)
    progress(f"Classifying {len(faces):,} faces …")
    logits = compute_logits(loaded, faces.images)
    result: dict[str, dict[str, Any]] = {}
    for name, model in loaded.items():
        calibration = model.calibrations[Reading.FER2013]
        answers = calibration.probabilities(logits[name])
        slices, worst = _measure_slices(answers, faces.labels, calibration, slicings)
        result[name] = {
            "weights_sha256": dict(model.weights_sha256),
            "overall": {
                **_measure(answers, faces.labels, calibration),
                "per_class": compute_per_class(answers, faces.labels),
            },
            "slices": slices,
            "worst": worst,
            "mitigation": {
                "calibration_by_slice": compare_calibration_by_slice(
                    logits[name], faces.labels, calibration, slicings
                ),
                "logit_adjustment": measure_logit_adjustment(
                    answers, faces.labels, first[name].training["faces_by_emotion"]
                ),
            },
        }
    part = sample_faces(faces, sample, seed=0)
    for name, curves in _measure_curves(part, loaded, progress).items():
        result[name]["curves"] = curves
    report = {
        "schema_version": 1,
        "data": describe_data(faces.names, sources),
        "n": len(faces),
        "made_worse": len(part),
        "votes": votes.name if votes else None,
        "groups": groups.name if groups else None,
        "slicings": {
            each.name: {"told": each.description, "groups": _describe_groups(each, faces.labels)}
            for each in slicings
        },
        "degradations": {
            kind.value: {"unchanged": UNCHANGED[kind], "levels": list(LEVELS[kind])}
            for kind in Degradation
        },
        "models": result,
    }
    write_json(directory / "robustness.json", report)
    atomic_write(directory / "robustness_slices.png", _plot_slices(report))
    atomic_write(directory / "robustness_curves.png", _plot_curves(report))
    return report


def _make_slicings(
    faces: FaceSet, network: WeightsSpec, votes: Path | None, groups: Path | None
) -> list[Slicing]:
    """Return a user's own groups first, then all that need no file."""
    return [
        *(read_groups(groups, faces.names) if groups else []),
        *slice_pictures(faces.images, FaceMeshLandmarks()),
        *([slice_by_votes(read_votes(votes, faces.names))] if votes else []),
        slice_by_cluster(embed_faces(network, faces.images), of=network.name),
    ]


def _describe_groups(slicing: Slicing, labels: Labels) -> list[dict[str, Any]]:
    """Return each group with its size and its most frequent label."""
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


def _measure(answers: Probabilities, labels: Labels, calibration: Calibration) -> dict[str, Any]:
    top = answers.max(axis=1)
    certain = calibration.is_certain(answers)
    right = answers.argmax(axis=1) == labels
    return {
        "n": len(labels),
        **measure_headlines(answers, labels, ("accuracy", "macro_f1", "nll", "ece")),
        "mean_confidence": float(top.mean()),
        "overconfidence": compute_overconfidence(answers, labels),
        "certain": float(certain.mean()),
        "certain_accuracy": float(right[certain].mean()) if certain.any() else None,
    }


def _measure_slices(
    answers: Probabilities, labels: Labels, calibration: Calibration, slicings: Sequence[Slicing]
) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Return rows of every group by slicing, and those that are significantly worse."""
    right = answers.argmax(axis=1) == labels
    rows: dict[str, list[dict[str, Any]]] = {}
    tested: list[tuple[str, dict[str, Any], Gap]] = []
    for slicing in slicings:
        rows[slicing.name] = []
        # Faces in no group are left out of the comparison.
        known = slicing.member >= 0
        for index, group in enumerate(slicing.groups):
            inside = slicing.member == index
            row: dict[str, Any] = {"group": group, "n": int(inside.sum())}
            rows[slicing.name].append(row)
            if row["n"] < FEWEST:
                continue
            row |= _measure(answers[inside], labels[inside], calibration)
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


def _measure_curves(
    faces: FaceSet, models: Models, progress: Callable[[str], None]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return by model and kind a row for each level, beginning with the faces as they are."""
    before = compute_probabilities(models, faces.images)
    result: dict[str, dict[str, list[dict[str, Any]]]] = {
        name: {kind.value: [] for kind in Degradation} for name in models
    }

    def add_rows(kind: Degradation, level: float, answers: Mapping[str, Probabilities]) -> None:
        for name, model in models.items():
            right, right_before = (
                each[name].argmax(axis=1) == faces.labels for each in (answers, before)
            )
            row = {
                "level": level,
                **_measure(answers[name], faces.labels, model.calibrations[Reading.FER2013]),
                "flips": measure_flips(answers[name], before[name]),
                "change": dataclasses.asdict(compute_mean_difference(right, right_before)),
            }
            result[name][kind.value].append(row)

    for kind in Degradation:
        progress(f"Degrading {len(faces):,} faces: {kind} …")
        add_rows(kind, UNCHANGED[kind], before)
        for level in LEVELS[kind]:
            degraded = degrade_faces(faces.images, kind, level)
            add_rows(kind, level, compute_probabilities(models, degraded))
    return result


def _plot_slices(report: Mapping[str, Any]) -> bytes:
    """Plot a panel for each slicing: accuracy of its groups, a mark for each model."""
    panels = {}
    for name in report["slicings"]:
        lines, ticks = {}, []
        for model, result in report["models"].items():
            rows = [row for row in result["slices"][name] if "accuracy" in row]
            ticks = [row["group"].partition(" (")[0] for row in rows]
            lines[model] = [get_accuracy_point(index, row) for index, row in enumerate(rows)]
        panels[name.replace("_", " ")] = Panel("", lines, ticks=ticks)
    return plot_panels("Accuracy by group of faces, %", panels, columns=4, joined=False)


def _plot_curves(report: Mapping[str, Any]) -> bytes:
    """Plot a panel for each degradation: accuracy by level, a line for each model."""
    panels = {}
    for kind in report["degradations"]:
        lines = {
            model: [get_accuracy_point(float(row["level"]), row) for row in result["curves"][kind]]
            for model, result in report["models"].items()
        }
        panels[kind] = Panel(_UNITS[kind], lines, falling=kind == "jpeg")
    return plot_panels("Accuracy on faces made worse, %", panels, columns=4)
