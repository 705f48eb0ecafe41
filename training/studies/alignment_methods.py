"""Ways to cut a face out: by the mesh, by the detector's five points, by its box, or not at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.config import AnalyzerConfig
from core.detectors import DETECTORS
from core.errors import DataError, InputError
from core.faces.alignment import FaceFrame, crop_face, matrix_from_anchors, matrix_from_box
from core.labels import EMOTIONS, Reading
from core.landmarks import LandmarkModel
from core.landmarks.anchors import anchor_points
from core.reading.reader import read_in_process
from core.types import Box, Face, Landmarks, RgbImage, UInt8Array

from ..data.classes import parse_emotion
from ..data.image_files import iter_image_files
from ..evaluation.intervals import share_with_interval
from ..evaluation.paired import compute_mean_difference
from .figures import measure_flips
from .studied_models import Models, compute_probabilities

MESH, FIVE_POINTS, BOX = "mesh", "five_points", "box"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LocatedFace:
    """A face with its landmarks by the mesh, and its box and five points by the detector."""

    image: RgbImage
    label: int
    mesh: Landmarks
    box: Box
    five_points: Landmarks | None


def find_crop_matrix(points: Landmarks | None, box: Box, frame: FaceFrame) -> NDArray[np.float64]:
    """Return the matrix from image to crop by ``points``, by ``box`` where they fit no face."""
    matrix = None if points is None else matrix_from_anchors(anchor_points(points), frame)
    return matrix_from_box(box) if matrix is None else matrix


def crop_faces(
    images: Sequence[RgbImage],
    landmarks: Sequence[Landmarks | None],
    boxes: Sequence[Box],
    frame: FaceFrame,
) -> UInt8Array:
    """Return (N, 48, 48) faces cut out by landmarks, or by boxes (:func:`find_crop_matrix`)."""
    return np.stack(
        [
            crop_face(image, find_crop_matrix(points, box, frame)).pixels
            for image, points, box in zip(images, landmarks, boxes, strict=True)
        ]
    )


def measure_landmark_distance(faces: Sequence[LocatedFace]) -> dict[str, Any]:
    """Return how far mesh and five points lie apart, over the distance between the eyes."""
    distances = []
    for face in faces:
        if face.five_points is None:
            continue
        mesh, five = anchor_points(face.mesh), anchor_points(face.five_points)
        eyes = float(np.linalg.norm(mesh[1] - mesh[0]))
        if eyes > 0:
            distances.append(np.linalg.norm(mesh - five, axis=1) / eyes)
    if not distances:
        return {"n": 0}
    by_point = np.array(distances)
    by_face = by_point.mean(axis=1)
    names = ("left_eye", "right_eye", "mouth")
    return {
        "n": len(by_point),
        "mean": float(by_point.mean()),
        "median": float(np.median(by_face)),
        "p90": float(np.quantile(by_face, 0.9)),
        "by_point": {name: float(by_point[:, index].mean()) for index, name in enumerate(names)},
    }


def compare_methods(
    faces: Sequence[LocatedFace], models: Models, **other_crops: UInt8Array
) -> dict[str, dict[str, Any]]:
    """Return by model and way to cut a face out its accuracy and the difference to the mesh.

    ``other_crops`` are more ways: (N, 48, 48) crops of the same faces.
    """
    images, boxes = [face.image for face in faces], [face.box for face in faces]
    landmarks: dict[str, list[Landmarks | None]] = {
        MESH: [face.mesh for face in faces],
        FIVE_POINTS: [face.five_points for face in faces],
        BOX: [None] * len(faces),
    }
    frame = next(iter(models.values())).frame
    crops = {way: crop_faces(images, points, boxes, frame) for way, points in landmarks.items()}
    answers = {
        way: compute_probabilities(models, each) for way, each in {**crops, **other_crops}.items()
    }
    labels = np.array([face.label for face in faces], np.int64)
    result: dict[str, dict[str, Any]] = {name: {} for name in models}
    for name, model in models.items():
        reference = answers[MESH][name]
        for way, by_model in answers.items():
            rows = by_model[name]
            right = rows.argmax(axis=1) == labels
            difference = compute_mean_difference(right, reference.argmax(axis=1) == labels)
            result[name][way] = {
                **share_with_interval("accuracy", int(right.sum()), len(labels)),
                "certain": float(model.calibrations[Reading.FER2013].is_certain(rows).mean()),
                "flips": measure_flips(rows, reference),
                "against_mesh": dataclasses.asdict(difference),
            }
    return result


def detect_photo_faces(photos: Path) -> Iterator[tuple[int | None, RgbImage, list[Face]]]:
    """Yield label, image and MTCNN's faces, largest first, of every readable photo in ``photos``.

    The label is the emotion that the photo's folder is named by, None for another name.
    """
    config = AnalyzerConfig()
    detector = DETECTORS.get("mtcnn")(
        settings=config.settings,
        threshold=config.detection_threshold,
        device=config.device,
        weights_dir=config.weights_dir,
    )
    for path, read in iter_image_files(photos):
        try:
            image = read_in_process(read())
        except InputError:
            continue
        try:
            label = EMOTIONS.index(parse_emotion(path.parent.name))
        except DataError:
            label = None
        yield label, image, sorted(detector.detect(image), key=lambda face: -face.box.area)


def compare_on_photos(
    photos: Path, models: Models, mesh: LandmarkModel, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Compare the ways on the largest face of each photo in a folder named by an emotion."""
    progress("Reading the photos …")
    labelled = detected = 0
    faces: list[LocatedFace] = []
    for label, image, found in detect_photo_faces(photos):
        if label is None:
            continue
        labelled += 1
        if not found:
            continue
        detected += 1
        (points,) = mesh.locate(image, found[:1])
        if points is not None:
            faces.append(LocatedFace(image, label, points, found[0].box, found[0].landmarks))
    return {
        "data": photos.name,
        "labelled": labelled,
        "found_by_detector": detected,
        "found_by_both": len(faces),
        "distance": measure_landmark_distance(faces),
        "models": compare_methods(faces, models) if faces else {},
    }
