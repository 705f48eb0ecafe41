"""How precise landmarks must be for the answer to stay the same.

Faces are cut out by their landmarks. This study shifts the landmarks of validation faces by known
errors of several kinds, cuts the faces out again and compares the answers.

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

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.calibration import Calibration
from core.classifiers.model import load_trained_models
from core.config import Device, PresetSettings
from core.detectors import DETECTORS
from core.errors import DataError
from core.faces.alignment import CROP_PX
from core.files import atomic_write, write_json
from core.labels import Reading
from core.landmarks.anchors import anchor_points
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.landmarks.noise import LandmarkNoise, shift_landmarks
from core.types import Box, Landmarks, RgbImage, UInt8Array

from ..data.anchors import ENLARGEMENT, PADDING_PX, detect_central_faces, find_landmarks
from ..data.faces import read_faces, sample_faces
from ..data.splits import Split, describe_data
from ..evaluation.metrics import Labels, Probabilities
from ..reporting.plots import Panel, get_accuracy_point, plot_panels
from .alignment_methods import (
    LocatedFace,
    compare_methods,
    compare_on_photos,
    crop_faces,
    measure_landmark_distance,
)
from .figures import compare_accuracy, measure_flips, measure_headlines
from .human_points import compare_mesh_with_people
from .studied_models import Models, compute_probabilities

ERRORS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)
"""Shares of the distance between the eyes; good landmark models err by .03 to .05 (300-W)."""
DROPPED = (0.1, 0.25, 0.5, 1.0)
"""Shares of the faces that lose their landmarks."""
_WHOLE = Box(0.0, 0.0, CROP_PX, CROP_PX)
"""The box of a face that has no usable landmarks."""
_DETECTED_PX = (CROP_PX + 2 * PADDING_PX) * ENLARGEMENT
"""Side of the picture in which the detector looks for a validation face."""


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
    """Measure ``models`` with shifted landmarks; return the content of landmarks.json.

    Writes landmarks.json and landmarks.png. ``sources`` hold validation faces, of which
    ``sample`` are taken with every emotion's share kept. Every face has one seed for all errors,
    so that only the error differs between the rows. ``photos`` compares the ways to cut a face out
    on whole photos as well, ``points`` (a folder or zip with 300-W's ``.pts`` files) the mesh with
    people. DataError when the face mesh finds no face.
    """
    validation = read_faces(sources, Split.VALIDATION)
    part = sample_faces(validation, sample, seed=0)
    progress(f"Finding landmarks on {len(part):,} faces …")
    mesh = FaceMeshLandmarks()
    located = {
        index: each
        for index, each in enumerate(find_landmarks(part.images, mesh))
        if each is not None
    }
    if not located:
        raise DataError(
            f"The face mesh finds no face in {len(part)} pictures.",
            hint="Give pictures that each show one face.",
        )
    kept = part.subset(np.array(list(located), np.int64))
    faces = []
    for grey, label, by_mesh, face in zip(
        kept.images,
        kept.labels.tolist(),
        located.values(),
        detect_central_faces(kept.images, _load_detector()),
        strict=True,
    ):
        image = RgbImage(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), "face")
        box, five_points = (_WHOLE, None) if face is None else (face.box, face.landmarks)
        faces.append(LocatedFace(image, label, by_mesh, box, five_points))
    loaded = load_trained_models(models, weights_dir=weights_dir)
    result = _measure_models(faces, loaded, progress)
    report = {
        "schema_version": 2,
        "data": describe_data(part.names, sources),
        "n": len(part),
        "found": len(faces),
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
    return DETECTORS.get("mtcnn")(
        settings=settings, threshold=None, device=Device.AUTO, weights_dir=None
    )


def _measure_models(
    faces: Sequence[LocatedFace], models: Models, progress: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Return the figures of each model: as given, aligned, and for every kind and error."""
    labels = np.array([face.label for face in faces], np.int64)
    images, placed = [face.image for face in faces], [face.mesh for face in faces]
    frame, whole = next(iter(models.values())).frame, [_WHOLE] * len(faces)
    aligned = compute_probabilities(models, crop_faces(images, placed, whole, frame))
    given = compute_probabilities(models, _get_grey(faces))

    def compare(name: str, answers: Probabilities) -> dict[str, Any]:
        """Return figures, their loss against well-placed landmarks, and how many answers change."""
        return {
            **_measure(answers, labels, models[name].calibrations[Reading.FER2013]),
            "flips": measure_flips(answers, aligned[name]),
            "against_aligned": compare_accuracy(answers, aligned[name], labels),
        }

    result: dict[str, dict[str, Any]] = {
        name: {
            "weights_sha256": dict(model.weights_sha256),
            "as_given": compare(name, given[name]),
            "aligned": _measure(aligned[name], labels, model.calibrations[Reading.FER2013]),
            "noise": {noise.value: [] for noise in LandmarkNoise},
            "dropped": [],
        }
        for name, model in models.items()
    }
    for noise in LandmarkNoise:
        progress(f"Shifting landmarks: {noise} …")
        for error in ERRORS:
            shifted = [
                shift_landmarks(points, noise, error, seed=seed)
                for seed, points in enumerate(placed)
            ]
            nme = _compute_mean_error(shifted, placed)
            crops = crop_faces(images, shifted, whole, frame)
            for name, answers in compute_probabilities(models, crops).items():
                row = {"error": error, "nme": nme, **compare(name, answers)}
                result[name]["noise"][noise.value].append(row)
    by_box = crop_faces(images, [None] * len(faces), [face.box for face in faces], frame)
    lost = compute_probabilities(models, by_box)
    order = np.random.default_rng(0).permutation(len(labels))
    for share in DROPPED:
        without = np.zeros(len(labels), dtype=np.bool_)
        without[order[: round(share * len(labels))]] = True
        for name in models:
            mixed = np.where(without[:, None], lost[name], aligned[name])
            result[name]["dropped"].append({"share": share, **compare(name, mixed)})
    return result


def _compute_mean_error(shifted: Sequence[Landmarks], placed: Sequence[Landmarks]) -> float:
    """Return the normalised mean error over all points of all faces."""
    errors = []
    for new, old in zip(shifted, placed, strict=True):
        left, right, _ = anchor_points(old)
        distance = np.linalg.norm(new.points - old.points, axis=1).mean()
        # Eyes in one place have no distance to measure by.
        errors.append(distance / max(float(np.linalg.norm(right - left)), 1e-6))
    return float(np.mean(errors))


def _compare_ways(faces: Sequence[LocatedFace], models: Models) -> dict[str, Any]:
    """Compare mesh, five points and box on the faces that mesh and detector both found."""
    both = [face for face in faces if face.five_points is not None]
    result: dict[str, Any] = {"found_by_both": len(both), "models": {}}
    if both:
        result["distance"] = measure_landmark_distance(both)
        result["models"] = compare_methods(both, models, as_given=_get_grey(both))
    return result


def _get_grey(faces: Sequence[LocatedFace]) -> UInt8Array:
    """Return the (N, 48, 48) faces as the data set has them."""
    return np.stack([face.image.pixels[..., 0] for face in faces])


def _measure(answers: Probabilities, labels: Labels, calibration: Calibration) -> dict[str, Any]:
    return {
        **measure_headlines(answers, labels, ("accuracy", "macro_f1", "nll", "ece")),
        "mean_confidence": float(answers.max(axis=1).mean()),
        "certain": float(calibration.is_certain(answers).mean()),
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
