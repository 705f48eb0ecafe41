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

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.calibration import Calibration
from core.classifiers.model import load_trained_models
from core.config import Device, PresetSettings
from core.detectors import DETECTORS
from core.errors import DataError
from core.faces.alignment import CROP_PX, FaceFrame
from core.files import atomic_write, write_json
from core.landmarks.anchors import anchor_points
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.landmarks.noise import LandmarkNoise, shift_landmarks
from core.types import Box, Face, Landmarks, RgbImage, UInt8Array

from ..data.anchors import ENLARGEMENT, PADDING_PX, detect_central_faces, find_landmarks
from ..data.faces import read_faces, sample_faces
from ..data.splits import Split, describe_data
from ..evaluation.metrics import Labels, Probabilities
from ..reporting.plots import Panel, plot_panels
from .alignment_methods import (
    LocatedFace,
    compare_methods,
    compare_on_photos,
    crop_faces,
    measure_landmark_distance,
)
from .figures import compare_accuracy, get_accuracy_point, measure_flips, measure_headlines
from .human_points import compare_mesh_with_people
from .studied_models import Models, compute_probabilities, get_frame

ERRORS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)
"""Shares of the distance between the eyes; good landmark models err by .03 to .05 (300-W)."""
DROPPED = (0.1, 0.25, 0.5, 1.0)
"""Shares of the faces that lose their landmarks."""
_WHOLE = Box(0.0, 0.0, CROP_PX, CROP_PX)
"""The box of a face that has no usable landmarks."""
_DETECTED_PX = (CROP_PX + 2 * PADDING_PX) * ENLARGEMENT
"""Side of the picture in which the detector looks for a validation face."""


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """Validation faces whose landmarks are known."""

    grey: UInt8Array
    pictures: Sequence[RgbImage]
    landmarks: Sequence[Landmarks]
    detected: Sequence[Face | None]
    labels: Labels

    def crop(self, landmarks: Sequence[Landmarks], frame: FaceFrame) -> UInt8Array:
        """Return (N, 48, 48) crops by ``landmarks``; whole faces where they fit no face."""
        return crop_faces(self.pictures, landmarks, [_WHOLE] * len(self.labels), frame)


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
) -> Mapping[str, Any]:
    """Measure ``models`` with misplaced landmarks; return the content of landmarks.json.

    Writes landmarks.json and landmarks.png. ``sources`` hold validation faces, of which
    ``sample`` are taken with every emotion's share kept. Every face has one seed for all errors,
    so that only the error differs between the rows. ``photos`` compares the ways to cut a face out
    on whole photos as well, ``points`` (a folder or zip with 300-W's ``.pts`` files) the mesh with
    people. DataError when the face mesh finds no face.
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
        list(detect_central_faces(grey, _load_detector())),
        part.labels[kept],
    )
    loaded = load_trained_models(models, weights_dir=weights_dir)
    result = _measure_models(faces, loaded, progress)
    report = {
        "schema_version": 2,
        "data": describe_data(part.names, sources),
        "n": len(part),
        "found": len(kept),
        "errors": list(ERRORS),
        "models": result,
        "ways": _compare_ways(faces, loaded),
        "photos": compare_on_photos(photos, loaded, mesh, progress) if photos else None,
        "human_points": compare_mesh_with_people(points, mesh) if points else None,
    }
    write_json(directory / "landmarks.json", report)
    atomic_write(directory / "landmarks.png", _plot_noise(result))
    return report


def _load_detector() -> Any:
    """Return MTCNN, which gives five points; a validation face fills most of its picture."""
    settings = PresetSettings(
        detector="mtcnn", working_px=_DETECTED_PX, min_face_px=_DETECTED_PX // 4
    )
    return DETECTORS.get("mtcnn")(settings=settings, threshold=None, device=Device.AUTO)


def _measure_models(
    faces: _Faces, models: Models, progress: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Return the figures of each model: as given, aligned, and for every kind and error."""
    labels, frame = faces.labels, get_frame(models)
    aligned = compute_probabilities(models, faces.crop(faces.landmarks, frame))
    given = compute_probabilities(models, faces.grey)

    def compare(name: str, answers: Probabilities) -> dict[str, Any]:
        """Return figures, their loss against well-placed landmarks, and how many answers change."""
        return {
            **_measure(answers, labels, models[name].calibration),
            "flips": measure_flips(answers, aligned[name]),
            "against_aligned": compare_accuracy(answers, aligned[name], labels),
        }

    result: dict[str, dict[str, Any]] = {
        name: {
            "weights_sha256": dict(model.weights_sha256),
            "as_given": compare(name, given[name]),
            "aligned": _measure(aligned[name], labels, model.calibration),
            "noise": {noise.value: [] for noise in LandmarkNoise},
            "dropped": [],
        }
        for name, model in models.items()
    }
    for noise, error, moved in _misplace_landmarks(faces, progress):
        nme = _compute_mean_error(moved, faces.landmarks)
        for name, answers in compute_probabilities(models, faces.crop(moved, frame)).items():
            row = {"error": error, "nme": nme, **compare(name, answers)}
            result[name]["noise"][noise.value].append(row)
    boxes = [_WHOLE if face is None else face.box for face in faces.detected]
    by_box = crop_faces(faces.pictures, [None] * len(labels), boxes, frame)
    lost = compute_probabilities(models, by_box)
    order = np.random.default_rng(0).permutation(len(labels))
    for share in DROPPED:
        without = np.zeros(len(labels), dtype=np.bool_)
        without[order[: round(share * len(labels))]] = True
        for name in models:
            mixed = np.where(without[:, None], lost[name], aligned[name])
            result[name]["dropped"].append({"share": share, **compare(name, mixed)})
    return result


def _misplace_landmarks(
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


def _compute_mean_error(moved: Sequence[Landmarks], placed: Sequence[Landmarks]) -> float:
    """Return the normalised mean error over all points of all faces."""
    errors = []
    for new, old in zip(moved, placed, strict=True):
        left, right, _ = anchor_points(old)
        distance = np.linalg.norm(new.points - old.points, axis=1).mean()
        # Eyes in one place have no distance to measure by.
        errors.append(distance / max(float(np.linalg.norm(right - left)), 1e-6))
    return float(np.mean(errors))


def _compare_ways(faces: _Faces, models: Models) -> dict[str, Any]:
    """Compare mesh, five points and box on the faces that mesh and detector both found."""
    kept, both = [], []
    for index, face in enumerate(faces.detected):
        if face is not None and face.landmarks is not None:
            kept.append(index)
            label, points = int(faces.labels[index]), faces.landmarks[index]
            both.append(LocatedFace(faces.pictures[index], label, points, face))
    result: dict[str, Any] = {"found_by_both": len(both), "models": {}}
    if both:
        result["distance"] = measure_landmark_distance(both)
        result["models"] = compare_methods(both, models, as_given=faces.grey[kept])
    return result


def _measure(answers: Probabilities, labels: Labels, calibration: Calibration) -> dict[str, Any]:
    top = answers.max(axis=1)
    return {
        **measure_headlines(answers, labels, ("accuracy", "macro_f1", "nll", "ece")),
        "mean_confidence": float(top.mean()),
        "certain": float((top >= calibration.certain_from).mean()),
    }


def _plot_noise(models: Mapping[str, Any]) -> bytes:
    """Plot a panel for each kind of error, a line with its interval for each model."""
    panels = {}
    for kind in LandmarkNoise:
        lines = {
            name: [
                get_accuracy_point(100 * row["error"], row)
                for row in ({"error": 0.0, **result["aligned"]}, *result["noise"][kind.value])
            ]
            for name, result in models.items()
        }
        panels[kind.value] = Panel("misplaced by, % of the eyes' distance", lines)
    return plot_panels("Accuracy with misplaced landmarks, %", panels)
