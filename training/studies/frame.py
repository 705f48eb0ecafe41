"""How a face should be framed, and whether it should pass through 48 px.

FER-2013 shows faces at 48 px in a frame of its own. A photo's face is brought into that frame.
This study asks how large the face should be in it, and whether a sharp face should be reduced
to 48 px before it is enlarged to the network's input, as the training faces are.
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
from scipy.stats import binomtest

from core.classifiers.network import NetworkClassifier, load_network
from core.config import AnalyzerConfig
from core.detectors import DETECTORS
from core.errors import DataError, InputError
from core.faces.alignment import (
    CROP_PX,
    crop_face,
    matrix_from_anchors,
    matrix_from_box,
    warp_square,
)
from core.files import atomic_write, write_json
from core.labels import EMOTIONS
from core.landmarks.anchors import anchor_points
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.reading.reader import read_in_process
from core.types import RgbImage, UInt8Array
from core.weights import read_spec

from ..data.anchors import find_anchors, summarize_anchors
from ..data.appearance import measure_sharpness
from ..data.classes import parse_emotion
from ..data.faces import FaceSet, read_faces
from ..data.image_files import iter_image_files
from ..data.splits import Split, describe_data
from ..evaluation.intervals import LEVEL
from ..evaluation.metrics import Labels, Probabilities
from ..evaluation.model_metrics import compute_headlines_with_intervals
from ..evaluation.paired import compare_models
from ..reporting.plots import plot_curve

SCALES = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2)
"""Sizes of the face in the frame that are tried; 1 is the median of the training faces."""
BLUR_SIGMAS = (0.0, 1.0, 2.0)
"""Of the Gaussian blur, in pixels of the network's input, tried instead of the passage."""


@dataclass(frozen=True, slots=True)
class FrameStudy:
    """What was found and where it lies."""

    directory: Path
    report: Mapping[str, Any]
    """The content of ``frame.json``."""


def study_frame(
    sources: Sequence[Path],
    photos: Path,
    directory: Path,
    *,
    model: str,
    weights_dir: Path | None = None,
    sample: int = 2000,
    progress: Callable[[str], None] = lambda _text: None,
) -> FrameStudy:
    """Measure frame and passage; writes frame.json and frame.png.

    ``sources`` hold training faces, ``sample`` of which give the frame, and validation faces,
    which decide the size. ``photos`` is a folder or zip of photos in folders; those named by
    an emotion count for accuracy with their largest face, all faces for the rest.
    """
    network = load_network(read_spec(model, weights_dir))
    mesh = FaceMeshLandmarks()
    progress("Measuring where eyes and mouth lie …")
    training = read_faces(sources, Split.TRAIN)
    chosen = np.random.default_rng(0).permutation(len(training))[:sample]
    part = training.subset(np.sort(chosen))
    found = [each for each in find_anchors(part.images, mesh) if each is not None]
    if not found:
        raise DataError(
            f"The face mesh finds no face in {len(part)} pictures.",
            hint="Give pictures that each show one face.",
        )
    progress("Framing the validation faces anew …")
    validation = read_faces(sources, Split.VALIDATION)
    framed = _framed(validation, network, mesh)
    progress("Reading the photos …")
    passages = _passages(photos, network, mesh, part)
    report = {
        "schema_version": 1,
        "model": model,
        "weights_sha256": network.spec.sha256,
        "anchors": {
            "data": describe_data(part.names, sources),
            "n": len(part),
            "found": len(found),
            **summarize_anchors(np.array(found, dtype=np.float32)),
        },
        "scale": {"data": describe_data(validation.names, sources), **framed},
        "passage": {"data": photos.name, **passages},
    }
    write_json(directory / "frame.json", report)
    rows = framed["scales"]
    plot = plot_curve(
        "Accuracy by size of the face in the frame",
        across="size (1: median of the training faces)",
        upwards="accuracy, %",
        at=[row["scale"] for row in rows],
        values=[100 * row["accuracy"] for row in rows],
        spans=[[100 * each for each in row["accuracy_interval"]] for row in rows],
        level=(100 * framed["as_given"]["accuracy"], "faces as FER-2013 cuts them"),
    )
    atomic_write(directory / "frame.png", plot)
    return FrameStudy(directory, report)


def _framed(faces: FaceSet, network: NetworkClassifier, mesh: FaceMeshLandmarks) -> dict[str, Any]:
    """Accuracy with the faces framed by their landmarks, at each size, and as they are."""
    spec = network.spec
    matrices: list[tuple[int, NDArray[np.float64]]] = []
    for index, anchors in enumerate(find_anchors(faces.images, mesh)):
        matrix = None if anchors is None else matrix_from_anchors(anchors, spec.frame)
        if matrix is not None:
            matrices.append((index, matrix))
    kept = np.array([index for index, _ in matrices], np.int64)
    labels = faces.labels[kept]
    pictures = [RgbImage(cv2.cvtColor(faces.images[i], cv2.COLOR_GRAY2RGB), "face") for i in kept]
    given = spec.calibration.probabilities(network.logits(faces.images[kept]))
    rows = []
    for scale in SCALES:
        crops = [
            crop_face(picture, _resized(matrix, scale)).pixels
            for picture, (_, matrix) in zip(pictures, matrices, strict=True)
        ]
        answers = spec.calibration.probabilities(network.logits(np.stack(crops)))
        gap = compare_models(answers, given, labels)
        rows.append(
            {
                "scale": scale,
                **_figures(answers, labels),
                "against_as_given": {
                    "accuracy": dataclasses.asdict(gap.differences["accuracy"]),
                    "mcnemar_p": gap.mcnemar_p,
                },
            }
        )
    return {
        "n": len(faces),
        "found": len(kept),
        "as_given": _figures(given, labels),
        "scales": rows,
    }


def _resized(matrix: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """``matrix`` (image to crop) with the face enlarged about the middle of the crop."""
    larger = matrix * scale
    larger[:, 2] += (1 - scale) * CROP_PX / 2
    return larger


def _figures(probabilities: Probabilities, labels: Labels) -> dict[str, Any]:
    metrics = compute_headlines_with_intervals(probabilities, labels)
    return {
        name: metrics[name]
        for figure in ("accuracy", "macro_f1", "nll")
        for name in (figure, f"{figure}_interval")
    }


@dataclass(frozen=True, slots=True, eq=False)
class _PhotoFace:
    label: int | None
    """Of the photo's folder; None for all but the largest face, and for other folders."""
    small: UInt8Array
    """(48, 48)"""
    sharp: UInt8Array
    """At the network's input size, straight from the photo."""


def _photo_faces(
    photos: Path, mesh: FaceMeshLandmarks, network: NetworkClassifier
) -> Iterator[_PhotoFace]:
    """The faces that show at least as many pixels as the network takes."""
    config = AnalyzerConfig()
    detector = DETECTORS.get("mtcnn")(
        settings=config.settings, threshold=config.detection_threshold, device=config.device
    )
    side = network.spec.preprocessing.input_px
    for path, read in iter_image_files(photos):
        try:
            image = read_in_process(read())
        except InputError:
            continue
        found = sorted(detector.detect(image), key=lambda face: -face.box.area)
        for rank, (face, points) in enumerate(zip(found, mesh.locate(image, found), strict=True)):
            matrix = None
            if points is not None:
                matrix = matrix_from_anchors(anchor_points(points), network.spec.frame)
            if matrix is None:
                matrix = matrix_from_box(face.box)
            # One pixel of the input is one of the photo or more: else nothing is sharper.
            if side / CROP_PX * np.sqrt(abs(np.linalg.det(matrix[:, :2]))) > 1:
                continue
            yield _PhotoFace(
                label=_label(path.parent.name) if rank == 0 else None,
                small=crop_face(image, matrix).pixels,
                sharp=warp_square(image, matrix * (side / CROP_PX), side),
            )


def _label(folder: str) -> int | None:
    try:
        return EMOTIONS.index(parse_emotion(folder))
    except DataError:
        return None


def _passages(
    photos: Path, network: NetworkClassifier, mesh: FaceMeshLandmarks, training: FaceSet
) -> dict[str, Any]:
    """What becomes of photo faces with and without the passage through 48 px."""
    faces = list(_photo_faces(photos, mesh, network))
    if not faces:
        raise DataError(
            f"No face in {photos.name} is large enough to compare.",
            hint="Give photos in which a face is about 150 px wide or more.",
        )
    resize = network.spec.preprocessing.resize
    ways: dict[str, Callable[[_PhotoFace], UInt8Array]] = {
        "through 48 px": lambda face: resize(face.small)
    }
    for sigma in BLUR_SIGMAS:
        name = f"directly, blurred by {sigma:g} px" if sigma else "directly"
        ways[name] = lambda face, s=sigma: _blurred(face.sharp, s)  # type: ignore[misc]
    labelled = np.array([face.label is not None for face in faces])
    labels = np.array([face.label for face in faces if face.label is not None], np.int64)
    usual = np.percentile(
        [measure_sharpness(resize(face)) for face in training.images], (25, 50, 75)
    )
    rows: list[dict[str, Any]] = []
    first: Probabilities | None = None
    for name, way in ways.items():
        inputs = np.stack([way(face) for face in faces])
        answers = network.spec.calibration.probabilities(network.logits(inputs))
        first = answers if first is None else first
        rows.append(
            {
                "way": name,
                "sharpness_quartiles": [
                    float(each)
                    for each in np.percentile(
                        [measure_sharpness(each) for each in inputs], (25, 50, 75)
                    )
                ],
                "mean_confidence": float(answers.max(axis=1).mean()),
                "same_answer_as_through_48_px": float(
                    (answers.argmax(axis=1) == first.argmax(axis=1)).mean()
                ),
                **_labelled(answers[labelled], labels),
            }
        )
    return {
        "faces": len(faces),
        "labelled": len(labels),
        "sharpness_of_training_faces": [float(each) for each in usual],
        "ways": rows,
    }


def _labelled(answers: Probabilities, labels: Labels) -> dict[str, Any]:
    """Figures on the few faces with a label."""
    if not len(labels):
        return {"right": 0}
    right = int((answers.argmax(axis=1) == labels).sum())
    span = binomtest(right, len(labels)).proportion_ci(LEVEL, method="wilson")
    given = answers[np.arange(len(labels)), labels]
    return {
        "right": right,
        "accuracy": right / len(labels),
        "accuracy_interval": [float(span.low), float(span.high)],
        "nll": float(-np.log(given).mean()),
    }


def _blurred(face: UInt8Array, sigma: float) -> UInt8Array:
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma) if sigma else face, dtype=np.uint8)
