"""Ways to cut a face out: by the mesh, by the detector's five points, by its box, or not at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from core.config import AnalyzerConfig
from core.detectors import DETECTORS
from core.errors import DataError, InputError
from core.faces.alignment import FaceFrame, crop_face, matrix_from_anchors, matrix_from_box
from core.labels import EMOTIONS
from core.landmarks import LandmarkModel
from core.landmarks.anchors import anchor_points
from core.reading.reader import read_in_process
from core.types import Face, Landmarks, RgbImage, UInt8Array

from ..data.classes import parse_emotion
from ..data.image_files import iter_image_files
from ..evaluation.intervals import LEVEL
from ..evaluation.metrics import Labels
from ..evaluation.paired import compute_accuracy_difference
from .studied_models import StudiedModels

MESH, FIVE_POINTS, BOX = "mesh", "five_points", "box"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LocatedFace:
    """One face with what the mesh and the detector say of it."""

    image: RgbImage
    mesh: Landmarks
    found: Face
    """By the detector, with its five points."""
    label: int | None = None


def crop_faces(way: str, faces: Sequence[LocatedFace], frame: FaceFrame) -> UInt8Array:
    """(N, 48, 48) faces cut out one way; by the box where the points cannot be those of a face."""
    crops = []
    for face in faces:
        points = {MESH: face.mesh, FIVE_POINTS: face.found.landmarks, BOX: None}[way]
        matrix: NDArray[np.float64] | None = None
        if points is not None:
            matrix = matrix_from_anchors(anchor_points(points), frame)
        if matrix is None:
            matrix = matrix_from_box(face.found.box)
        crops.append(crop_face(face.image, matrix).pixels)
    return np.stack(crops)


def landmark_distance(faces: Sequence[LocatedFace]) -> dict[str, Any]:
    """How far eyes and mouth of mesh and five points lie apart, over the distance of the eyes."""
    far = []
    for face in faces:
        if face.found.landmarks is None:
            continue
        ours, theirs = anchor_points(face.mesh), anchor_points(face.found.landmarks)
        eyes = float(np.linalg.norm(ours[1] - ours[0]))
        if eyes > 0:
            far.append(np.linalg.norm(ours - theirs, axis=1) / eyes)
    if not far:
        return {"n": 0}
    apart = np.array(far)
    names = ("left_eye", "right_eye", "mouth")
    return {
        "n": len(apart),
        "mean": float(apart.mean()),
        "median": float(np.median(apart.mean(axis=1))),
        "p90": float(np.quantile(apart.mean(axis=1), 0.9)),
        "by_point": {name: float(apart[:, index].mean()) for index, name in enumerate(names)},
    }


def compare_methods(
    crops: Mapping[str, UInt8Array], labels: Labels, asked: StudiedModels
) -> dict[str, dict[str, Any]]:
    """By model and way of cutting: accuracy, and what differs from the first way."""
    answers = {way: asked.probabilities(each) for way, each in crops.items()}
    first = next(iter(crops))
    result: dict[str, dict[str, Any]] = {}
    for name in asked.names:
        top = {way: answers[way][name].argmax(axis=1) for way in crops}
        level = asked.calibration(name).certain_from
        result[name] = {
            way: {
                **_accuracy(top[way] == labels),
                "certain": float((answers[way][name].max(axis=1) >= level).mean()),
                "flips": float((top[way] != top[first]).mean()),
                f"against_{first}": dataclasses.asdict(
                    compute_accuracy_difference(top[way] == labels, top[first] == labels)
                ),
            }
            for way in crops
        }
    return result


def _accuracy(right: NDArray[np.bool_]) -> dict[str, Any]:
    span = binomtest(int(right.sum()), len(right)).proportion_ci(LEVEL, method="wilson")
    return {"accuracy": float(right.mean()), "accuracy_interval": [span.low, span.high]}


def compare_on_photos(
    photos: Path, asked: StudiedModels, mesh: LandmarkModel, progress: Callable[[str], None]
) -> dict[str, Any]:
    """The ways compared on the largest face of each photo in a folder named by an emotion."""
    progress("Reading the photos …")
    config = AnalyzerConfig()
    detector = DETECTORS.get("mtcnn")(
        settings=config.settings, threshold=config.detection_threshold, device=config.device
    )
    labelled = found = 0
    faces: list[LocatedFace] = []
    for path, read in iter_image_files(photos):
        try:
            label = EMOTIONS.index(parse_emotion(path.parent.name))
            image = read_in_process(read())
        except (DataError, InputError):
            continue
        labelled += 1
        detected = detector.detect(image)
        if not detected:
            continue
        found += 1
        largest = max(detected, key=lambda each: each.box.area)
        (points,) = mesh.locate(image, [largest])
        if points is not None:
            faces.append(LocatedFace(image, points, largest, label))
    result: dict[str, Any] = {
        "data": photos.name,
        "labelled": labelled,
        "found_by_detector": found,
        "found_by_both": len(faces),
        "distance": landmark_distance(faces),
        "models": {},
    }
    if faces:
        crops = {way: crop_faces(way, faces, asked.frame) for way in (MESH, FIVE_POINTS, BOX)}
        labels = np.array([face.label for face in faces], np.int64)
        result["models"] = compare_methods(crops, labels, asked)
    return result
