"""How well landmarks must be placed for the answer to hold.

Faces are cut out by their landmarks. This study misplaces the landmarks of validation faces by
stated errors of stated kinds, cuts the faces anew and measures what becomes of the answers.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.calibration import Calibration
from core.config import AnalyzerConfig
from core.errors import DataError
from core.imaging.alignment import CROP_PX, FaceFrame, cut, matrix_from_anchors, matrix_from_box
from core.landmarks.anchors import anchor_points
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.landmarks.noise import LandmarkNoise, displaced
from core.pipeline import load_emotion_model
from core.types import Box, Landmarks, RgbImage, UInt8Array

from ..anchors import landmarks_of
from ..data import data_described, read_faces
from ..evaluation.figures import with_intervals
from ..evaluation.metrics import Labels, Probabilities
from ..evaluation.paired import compare
from ..evaluation.plots import curves_plot
from ..export import write_whole
from ..options import Split

ERRORS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)
"""Shares of the distance between the eyes; good landmark models err by .03 to .05 (300-W)."""
_WHOLE = matrix_from_box(Box(0.0, 0.0, CROP_PX, CROP_PX))
"""What cuts a face that has no usable landmarks."""


@dataclass(frozen=True, slots=True)
class LandmarkStudy:
    """What was found and where it lies."""

    directory: Path
    report: Mapping[str, Any]
    """The content of ``landmarks.json``."""


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """Validation faces whose landmarks are known."""

    pictures: Sequence[RgbImage]
    landmarks: Sequence[Landmarks]
    labels: Labels


def study_landmarks(
    sources: Sequence[Path],
    directory: Path,
    *,
    models: Sequence[str],
    weights_dir: Path | None = None,
    sample: int = 1000,
    progress: Callable[[str], None] = lambda _text: None,
) -> LandmarkStudy:
    """Measure ``models`` with misplaced landmarks; writes landmarks.json and landmarks.png.

    ``sources`` hold validation faces, of which ``sample`` are taken. Every face has one seed
    for all errors, so that what is compared differs in the error alone. DataError when the
    face mesh finds no face.
    """
    validation = read_faces(sources, Split.VALIDATION)
    chosen = np.sort(np.random.default_rng(0).permutation(len(validation))[:sample])
    part = validation.subset(chosen)
    progress(f"Placing landmarks on {len(part):,} faces …")
    located = list(landmarks_of(part.images, FaceMeshLandmarks()))
    kept = [index for index, each in enumerate(located) if each is not None]
    if not kept:
        raise DataError(
            f"The face mesh finds no face in {len(part)} pictures.",
            hint="Give pictures that each show one face.",
        )
    grey = part.images[kept]
    faces = _Faces(
        [RgbImage(cv2.cvtColor(each, cv2.COLOR_GRAY2RGB), "face") for each in grey],
        [each for each in located if each is not None],
        part.labels[kept],
    )
    told: dict[str, Any] = {}
    for name in models:
        progress(f"Asking {name} …")
        told[name] = _measured(name, grey, faces, weights_dir)
    report = {
        "schema_version": 1,
        "data": data_described(part.names, sources),
        "n": len(part),
        "found": len(kept),
        "errors": list(ERRORS),
        "models": told,
    }
    write_whole(directory / "landmarks.json", (json.dumps(report, indent=2) + "\n").encode())
    write_whole(directory / "landmarks.png", _plot(told))
    return LandmarkStudy(directory, report)


def _measured(
    name: str, grey: UInt8Array, faces: _Faces, weights_dir: Path | None
) -> dict[str, Any]:
    """Figures of one model: as given, aligned, and for every kind and error."""
    model = load_emotion_model(AnalyzerConfig(model=name, weights_dir=weights_dir))
    labels = faces.labels

    def answers(crops: UInt8Array) -> Probabilities:
        return model.calibration.probabilities(model.classifier.logits(crops))

    aligned = answers(_cut(faces, faces.landmarks, model.frame))
    given = answers(grey)
    rows: dict[str, list[dict[str, Any]]] = {}
    for noise in LandmarkNoise:
        rows[noise.value] = []
        for error in ERRORS:
            moved = [
                displaced(points, noise, error, seed=seed)
                for seed, points in enumerate(faces.landmarks)
            ]
            told = answers(_cut(faces, moved, model.frame))
            rows[noise.value].append(
                {"error": error, **_against(told, aligned, labels, model.calibration)}
            )
    return {
        "weights_sha256": dict(model.weights_sha256),
        "as_given": _against(given, aligned, labels, model.calibration),
        "aligned": _figures(aligned, labels, model.calibration),
        "noise": rows,
    }


def _cut(faces: _Faces, landmarks: Sequence[Landmarks], frame: FaceFrame) -> UInt8Array:
    """(N, 48, 48) faces cut out by ``landmarks``; whole where they cannot be those of a face."""
    crops = []
    for picture, points in zip(faces.pictures, landmarks, strict=True):
        matrix: NDArray[np.float64] | None = matrix_from_anchors(anchor_points(points), frame)
        crops.append(cut(picture, _WHOLE if matrix is None else matrix).pixels)
    return np.stack(crops)


def _figures(answers: Probabilities, labels: Labels, calibration: Calibration) -> dict[str, Any]:
    told = with_intervals(answers, labels)
    surest = answers.max(axis=1)
    return {
        **{
            name: told[name]
            for figure in ("accuracy", "macro_f1", "nll", "ece")
            for name in (figure, f"{figure}_interval")
        },
        "mean_confidence": float(surest.mean()),
        "certain": float((surest >= calibration.certain_from).mean()),
    }


def _against(
    answers: Probabilities, aligned: Probabilities, labels: Labels, calibration: Calibration
) -> dict[str, Any]:
    """Figures, what they lose against well-placed landmarks, and how many answers changed."""
    gap = compare(answers, aligned, labels)
    return {
        **_figures(answers, labels, calibration),
        "flips": float((answers.argmax(axis=1) != aligned.argmax(axis=1)).mean()),
        "against_aligned": {
            "accuracy": dataclasses.asdict(gap.differences["accuracy"]),
            "mcnemar_p": gap.mcnemar_p,
        },
    }


def _plot(models: Mapping[str, Any]) -> bytes:
    """Accuracy of the first model by error, a line for each kind."""
    name, told = next(iter(models.items()))
    curves = {
        kind: [(0.0, told["aligned"]["accuracy"])] + [(r["error"], r["accuracy"]) for r in rows]
        for kind, rows in told["noise"].items()
    }
    return curves_plot(
        f"Accuracy with misplaced landmarks, {name}",
        across="landmarks misplaced by, % of the distance between the eyes",
        upwards="right, %",
        curves={
            kind: [(100 * error, 100 * right) for error, right in points]
            for kind, points in curves.items()
        },
    )
