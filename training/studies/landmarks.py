"""How well landmarks must be placed for the answer to hold.

Faces are cut out by their landmarks. This study misplaces the landmarks of validation faces by
stated errors of stated kinds, cuts the faces anew and measures what becomes of the answers.

``landmarks.json`` holds, by model under ``models``: ``as_given`` (the data set's own crop: no
alignment), ``aligned`` (by the mesh), ``noise`` by kind with a row for each error (``error`` is the
mean over the points that move, ``nme`` over all points, both as shares of the distance between
the eyes), and ``dropped``, where a ``share`` of the faces lost their landmarks and is cut out by
the detector's box. Beside the models:

- ``ways``: mesh, five points and box on the faces that both mesh and detector found, with the
  ``distance`` between mesh and five points, and ``models`` by way;
- ``photos``: the same on whole photos, null where none were given;
- ``human_points``: the mesh's error against points that people placed, null where none were given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.calibration import Calibration
from core.config import Device, PresetSettings
from core.detectors import DETECTORS
from core.errors import DataError
from core.faces.alignment import CROP_PX, FaceFrame, crop_face, matrix_from_anchors, matrix_from_box
from core.files import atomic_write, write_json
from core.landmarks.anchors import anchor_points
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.landmarks.noise import LandmarkNoise, shift_landmarks
from core.types import Box, Face, Landmarks, RgbImage, UInt8Array

from ..data.anchors import ENLARGEMENT, PADDING_PX, detect_central_faces, find_landmarks
from ..data.faces import read_faces, sample_faces
from ..data.splits import Split, describe_data
from ..evaluation.metrics import Labels, Probabilities
from ..evaluation.model_metrics import compute_headlines_with_intervals
from ..evaluation.paired import compare_models
from ..reporting.plots import Panel, plot_panels
from .alignment_methods import (
    BOX,
    FIVE_POINTS,
    MESH,
    LocatedFace,
    compare_methods,
    compare_on_photos,
    crop_faces,
    landmark_distance,
)
from .human_points import compare_mesh_with_people
from .studied_models import StudiedModels, load_models

ERRORS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)
"""Shares of the distance between the eyes; good landmark models err by .03 to .05 (300-W)."""
DROPPED = (0.1, 0.25, 0.5, 1.0)
"""Shares of the faces that lose their landmarks."""
_WHOLE = matrix_from_box(Box(0.0, 0.0, CROP_PX, CROP_PX))
"""What cuts a face that has no usable landmarks."""
_DETECTED_PX = (CROP_PX + 2 * PADDING_PX) * ENLARGEMENT
"""Side of the picture in which the detector looks for a validation face."""


@dataclass(frozen=True, slots=True)
class LandmarkStudy:
    """What was found and where it lies."""

    directory: Path
    report: Mapping[str, Any]
    """The content of ``landmarks.json``."""


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """Validation faces whose landmarks are known."""

    grey: UInt8Array
    pictures: Sequence[RgbImage]
    landmarks: Sequence[Landmarks]
    detected: Sequence[Face | None]
    labels: Labels


def study_landmarks(
    sources: Sequence[Path],
    directory: Path,
    *,
    models: Sequence[str],
    weights_dir: Path | None = None,
    sample: int = 1000,
    photos: Path | None = None,
    points: Path | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> LandmarkStudy:
    """Measure ``models`` with misplaced landmarks; writes landmarks.json and landmarks.png.

    ``sources`` hold validation faces, of which ``sample`` are taken with every emotion's share
    kept. Every face has one seed for all errors, so that what is compared differs in the error
    alone. ``photos`` compares the ways to cut a face out on whole photos as well, ``points`` (a
    folder or zip with 300-W's ``.pts`` files) the mesh with people. DataError when the face mesh
    finds no face.
    """
    validation = read_faces(sources, Split.VALIDATION)
    part = sample_faces(validation, sample, seed=0)
    progress(f"Placing landmarks on {len(part):,} faces …")
    mesh = FaceMeshLandmarks()
    located = list(find_landmarks(part.images, mesh))
    kept = np.array([index for index, each in enumerate(located) if each is not None], np.int64)
    if not len(kept):
        raise DataError(
            f"The face mesh finds no face in {len(part)} pictures.",
            hint="Give pictures that each show one face.",
        )
    grey = part.images[kept]
    faces = _Faces(
        grey,
        [RgbImage(cv2.cvtColor(each, cv2.COLOR_GRAY2RGB), "face") for each in grey],
        [each for each in located if each is not None],
        list(detect_central_faces(grey, _detector())),
        part.labels[kept],
    )
    asked = load_models(models, weights_dir)
    result = _measured(faces, asked, progress)
    report = {
        "schema_version": 2,
        "data": describe_data(part.names, sources),
        "n": len(part),
        "found": len(kept),
        "errors": list(ERRORS),
        "models": result,
        "ways": _ways(faces, asked),
        "photos": compare_on_photos(photos, asked, mesh, progress) if photos else None,
        "human_points": compare_mesh_with_people(points, mesh) if points else None,
    }
    write_json(directory / "landmarks.json", report)
    atomic_write(directory / "landmarks.png", _plot(result))
    return LandmarkStudy(directory, report)


def _detector() -> Any:
    """MTCNN, which gives five points; a validation face fills most of its picture."""
    settings = PresetSettings(
        detector="mtcnn", working_px=_DETECTED_PX, min_face_px=_DETECTED_PX // 4
    )
    return DETECTORS.get("mtcnn")(settings=settings, threshold=None, device=Device.AUTO)


def _measured(
    faces: _Faces, asked: StudiedModels, progress: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Figures of each model: as given, aligned, and for every kind and error."""
    labels = faces.labels
    aligned = asked.probabilities(_cut(faces, faces.landmarks, asked.frame))
    given = asked.probabilities(faces.grey)
    result: dict[str, dict[str, Any]] = {}
    for name in asked.names:
        calibration = asked.calibration(name)
        result[name] = {
            "weights_sha256": asked.weights_sha256(name),
            "as_given": _against(given[name], aligned[name], labels, calibration),
            "aligned": _figures(aligned[name], labels, calibration),
            "noise": {noise.value: [] for noise in LandmarkNoise},
            "dropped": [],
        }
    for noise, error, moved in _misplaced(faces, progress):
        nme = _mean_error(moved, faces.landmarks)
        answers = asked.probabilities(_cut(faces, moved, asked.frame))
        for name in asked.names:
            row = _against(answers[name], aligned[name], labels, asked.calibration(name))
            result[name]["noise"][noise.value].append({"error": error, "nme": nme, **row})
    lost = asked.probabilities(_boxed(faces))
    order = np.random.default_rng(0).permutation(len(labels))
    for share in DROPPED:
        without = np.zeros(len(labels), dtype=np.bool_)
        without[order[: round(share * len(labels))]] = True
        for name in asked.names:
            mixed = np.where(without[:, None], lost[name], aligned[name])
            row = _against(mixed, aligned[name], labels, asked.calibration(name))
            result[name]["dropped"].append({"share": share, **row})
    return result


def _misplaced(
    faces: _Faces, progress: Callable[[str], None]
) -> Iterator[tuple[LandmarkNoise, float, list[Landmarks]]]:
    for noise in LandmarkNoise:
        progress(f"Misplacing landmarks: {noise} …")
        for error in ERRORS:
            moved = [
                shift_landmarks(points, noise, error, seed=seed)
                for seed, points in enumerate(faces.landmarks)
            ]
            yield noise, error, moved


def _mean_error(moved: Sequence[Landmarks], placed: Sequence[Landmarks]) -> float:
    """Normalised mean error over all points of all faces."""
    errors = []
    for new, old in zip(moved, placed, strict=True):
        left, right, _ = anchor_points(old)
        apart = np.linalg.norm(new.points - old.points, axis=1).mean()
        # Eyes in one place have no distance to measure by.
        errors.append(apart / max(float(np.linalg.norm(right - left)), 1e-6))
    return float(np.mean(errors))


def _ways(faces: _Faces, asked: StudiedModels) -> dict[str, Any]:
    """Mesh, five points and box on the faces that mesh and detector both found."""
    both = [
        (index, LocatedFace(picture, points, found))
        for index, (picture, points, found) in enumerate(
            zip(faces.pictures, faces.landmarks, faces.detected, strict=True)
        )
        if found is not None and found.landmarks is not None
    ]
    result: dict[str, Any] = {"found_by_both": len(both), "models": {}}
    if not both:
        return result
    located = [face for _, face in both]
    crops = {way: crop_faces(way, located, asked.frame) for way in (MESH, FIVE_POINTS, BOX)}
    kept = np.array([index for index, _ in both], np.int64)
    crops["as_given"] = faces.grey[kept]
    result["distance"] = landmark_distance(located)
    result["models"] = compare_methods(crops, faces.labels[kept], asked)
    return result


def _boxed(faces: _Faces) -> UInt8Array:
    """(N, 48, 48) faces cut out by the detector's box; whole where it found none."""
    return np.stack(
        [
            crop_face(picture, _WHOLE if found is None else matrix_from_box(found.box)).pixels
            for picture, found in zip(faces.pictures, faces.detected, strict=True)
        ]
    )


def _cut(faces: _Faces, landmarks: Sequence[Landmarks], frame: FaceFrame) -> UInt8Array:
    """(N, 48, 48) faces cut out by ``landmarks``; whole where they cannot be those of a face."""
    crops = []
    for picture, points in zip(faces.pictures, landmarks, strict=True):
        matrix: NDArray[np.float64] | None = matrix_from_anchors(anchor_points(points), frame)
        crops.append(crop_face(picture, _WHOLE if matrix is None else matrix).pixels)
    return np.stack(crops)


def _figures(answers: Probabilities, labels: Labels, calibration: Calibration) -> dict[str, Any]:
    result = compute_headlines_with_intervals(answers, labels)
    surest = answers.max(axis=1)
    return {
        **{
            name: result[name]
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
    gap = compare_models(answers, aligned, labels)
    return {
        **_figures(answers, labels, calibration),
        "flips": float((answers.argmax(axis=1) != aligned.argmax(axis=1)).mean()),
        "against_aligned": {
            "accuracy": dataclasses.asdict(gap.differences["accuracy"]),
            "mcnemar_p": gap.mcnemar_p,
        },
    }


def _plot(models: Mapping[str, Any]) -> bytes:
    """A panel for each kind of error, a line with its interval for each model."""
    panels = {}
    for kind in LandmarkNoise:
        lines = {}
        for name, result in models.items():
            rows = [{"error": 0.0, **result["aligned"]}, *result["noise"][kind.value]]
            lines[name] = [
                (
                    100 * row["error"],
                    100 * row["accuracy"],
                    100 * row["accuracy_interval"][0],
                    100 * row["accuracy_interval"][1],
                )
                for row in rows
            ]
        panels[kind.value] = Panel("misplaced by, % of the eyes' distance", lines)
    return plot_panels("Accuracy with misplaced landmarks, %", panels)
