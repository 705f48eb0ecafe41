"""How a face should be framed, and whether it should pass through 48 px.

FER-2013 shows faces at 48 px in a frame of its own. A photo's face is brought into that frame.
This study measures how large the face should be in it, and whether a sharp face should be reduced
to 48 px before it is enlarged to the network's input, as the training faces are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.classifiers.network import NetworkClassifier, load_network
from core.errors import DataError
from core.faces.alignment import CROP_PX, crop_face, matrix_from_anchors, warp_square
from core.files import atomic_write, write_json
from core.labels import Reading
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.types import RgbImage, UInt8Array
from core.weights import read_spec

from ..data.anchors import find_anchors, summarize_anchors
from ..data.faces import FaceSet, read_faces
from ..data.slices import measure_sharpness
from ..data.splits import Split, describe_data
from ..evaluation.intervals import share_with_interval
from ..evaluation.metrics import Labels, Probabilities
from ..reporting.plots import get_accuracy_point, plot_curve
from .alignment_methods import detect_photo_faces, find_crop_matrix
from .figures import compare_accuracy, measure_headlines

SCALES = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2)
"""Sizes of the face in the frame that are tried; 1 is the median of the training faces."""
BLUR_SIGMAS = (0.0, 1.0, 2.0)
"""Of the Gaussian blur, in pixels of the network's input, tried instead of the passage."""
_FIGURES = ("accuracy", "macro_f1", "nll")


def study_frame(
    sources: Sequence[Path],
    photos: Path,
    directory: Path,
    *,
    model: str,
    weights_dir: Path | None = None,
    sample: int = 2000,
    progress: Callable[[str], None] = lambda _text: None,
) -> Mapping[str, Any]:
    """Measure frame and passage; write frame.json and frame.png, and return the former's content.

    ``sources`` hold training faces, ``sample`` of which give the frame, and validation faces to
    measure at each size. ``photos`` is a folder or zip of photos in folders; where the folder is
    named by an emotion, the largest face counts for accuracy. All faces count for the rest.
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
    progress("Cropping the validation faces again …")
    validation = read_faces(sources, Split.VALIDATION)
    scale = _compare_scales(validation, network, mesh)
    progress("Reading the photos …")
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
        "scale": {"data": describe_data(validation.names, sources), **scale},
        "passage": {"data": photos.name, **_compare_passages(photos, network, mesh, part)},
    }
    write_json(directory / "frame.json", report)
    plot = plot_curve(
        "Accuracy by size of the face in the frame",
        across="size (1: median of the training faces)",
        upwards="accuracy, %",
        points=[get_accuracy_point(row["scale"], row) for row in scale["scales"]],
        level=(100 * scale["as_given"]["accuracy"], "faces as FER-2013 cuts them"),
    )
    atomic_write(directory / "frame.png", plot)
    return report


def _compare_scales(
    faces: FaceSet, network: NetworkClassifier, mesh: FaceMeshLandmarks
) -> dict[str, Any]:
    """Measure the faces framed by their landmarks, at each size, and as they are."""
    spec = network.spec
    kept: list[int] = []
    matrices: list[NDArray[np.float64]] = []
    for index, anchors in enumerate(find_anchors(faces.images, mesh)):
        matrix = None if anchors is None else matrix_from_anchors(anchors, spec.frame)
        if matrix is not None:
            kept.append(index)
            matrices.append(matrix)
    part = faces.subset(np.array(kept, np.int64))
    pictures = [RgbImage(cv2.cvtColor(each, cv2.COLOR_GRAY2RGB), "face") for each in part.images]
    given = spec.calibrations[Reading.FER2013].probabilities(network.logits(part.images))
    rows = []
    for scale in SCALES:
        crops = [
            crop_face(picture, _scale_matrix(matrix, scale)).pixels
            for picture, matrix in zip(pictures, matrices, strict=True)
        ]
        answers = spec.calibrations[Reading.FER2013].probabilities(network.logits(np.stack(crops)))
        rows.append(
            {
                "scale": scale,
                **measure_headlines(answers, part.labels, _FIGURES),
                "against_as_given": compare_accuracy(answers, given, part.labels),
            }
        )
    return {
        "n": len(faces),
        "found": len(part),
        "as_given": measure_headlines(given, part.labels, _FIGURES),
        "scales": rows,
    }


def _scale_matrix(matrix: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Return ``matrix`` (image to crop) with the face enlarged about the middle of the crop."""
    larger = matrix * scale
    larger[:, 2] += (1 - scale) * CROP_PX / 2
    return larger


def _find_photo_faces(
    photos: Path, mesh: FaceMeshLandmarks, network: NetworkClassifier
) -> Iterator[tuple[int | None, UInt8Array, UInt8Array]]:
    """Yield the faces that show at least as many pixels as the network takes.

    Each is the label of its photo's folder (None for all but the largest face, and for other
    folders), the (48, 48) face, and the face at the network's input size straight from the photo.
    """
    side = network.spec.preprocessing.input_px
    for label, image, found in detect_photo_faces(photos):
        for face, points in zip(found, mesh.locate(image, found), strict=True):
            matrix = find_crop_matrix(points, face.box, network.spec.frame)
            # Without a photo pixel for every input pixel, the direct way is not sharper.
            if side / CROP_PX * np.sqrt(abs(np.linalg.det(matrix[:, :2]))) > 1:
                continue
            yield (
                label if face is found[0] else None,
                crop_face(image, matrix).pixels,
                warp_square(image, matrix * (side / CROP_PX), side),
            )


def _compare_passages(
    photos: Path, network: NetworkClassifier, mesh: FaceMeshLandmarks, training: FaceSet
) -> dict[str, Any]:
    """Measure photo faces with and without the passage through 48 px."""
    faces = list(_find_photo_faces(photos, mesh, network))
    if not faces:
        raise DataError(
            f"No face in {photos.name} is large enough to compare.",
            hint="Give photos in which a face is about 150 px wide or more.",
        )
    folder_labels, small, sharp_faces = zip(*faces, strict=True)
    resize = network.spec.preprocessing.resize
    inputs = {"through 48 px": np.stack([resize(face) for face in small])}
    sharp = np.stack(sharp_faces)
    for sigma in BLUR_SIGMAS:
        name = f"directly, blurred by {sigma:g} px" if sigma else "directly"
        inputs[name] = (
            np.stack([cv2.GaussianBlur(face, (0, 0), sigma) for face in sharp]) if sigma else sharp
        )
    answers = {
        name: network.spec.calibrations[Reading.FER2013].probabilities(network.logits(batch))
        for name, batch in inputs.items()
    }
    top = {name: rows.argmax(axis=1) for name, rows in answers.items()}
    is_labelled = np.array([label is not None for label in folder_labels])
    labels = np.array([label for label in folder_labels if label is not None], np.int64)
    rows = [
        {
            "way": name,
            "sharpness_quartiles": _compute_sharpness_quartiles(batch),
            "mean_confidence": float(answers[name].max(axis=1).mean()),
            "same_answer_as_through_48_px": float((top[name] == top["through 48 px"]).mean()),
            **_measure_labelled(answers[name][is_labelled], labels),
        }
        for name, batch in inputs.items()
    ]
    return {
        "faces": len(faces),
        "labelled": len(labels),
        "sharpness_of_training_faces": _compute_sharpness_quartiles(
            np.stack([resize(face) for face in training.images])
        ),
        "ways": rows,
    }


def _compute_sharpness_quartiles(faces: UInt8Array) -> list[float]:
    sharpness = [measure_sharpness(face) for face in faces]
    return [float(each) for each in np.percentile(sharpness, (25, 50, 75))]


def _measure_labelled(answers: Probabilities, labels: Labels) -> dict[str, Any]:
    """Return the figures of the few faces with a label."""
    if not len(labels):
        return {"right": 0}
    right = int((answers.argmax(axis=1) == labels).sum())
    given = answers[np.arange(len(labels)), labels]
    return {
        "right": right,
        **share_with_interval("accuracy", right, len(labels)),
        "nll": float(-np.log(given).mean()),
    }
