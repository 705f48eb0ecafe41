"""Running detectors on photos, and how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.config import Device, Preset, get_settings
from core.detectors import Detector, build
from core.errors import DataError
from core.types import Box, Face, RgbImage

from .matching import Detections, Matches, match_detections
from .metrics import LOWEST
from .photos import FaceBoxes, read_annotated_photos, read_photos
from .train import is_training_negative

FACENET = "facenet-pytorch"
"""MTCNN as its library runs it, only to compare our detectors with."""
Progress = Callable[[str], None]
_REPORT_EVERY = 50
"""Photos between two lines of progress."""


@dataclass(slots=True)
class DetectorRun:
    """What one detector found, photo by photo, and in how many seconds."""

    found: list[Detections] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, detector: Detector, image: RgbImage) -> None:
        """Run ``detector`` on one more photo."""
        started = time.perf_counter()
        faces = detector.detect(image)
        self.seconds.append(time.perf_counter() - started)
        edges = [[face.box.x1, face.box.y1, face.box.x2, face.box.y2] for face in faces]
        scores = np.array([face.score for face in faces], np.float64)
        self.found.append(Detections(np.array(edges, np.float32).reshape(-1, 4), scores))


@dataclass(frozen=True, slots=True)
class DetectorRuns:
    """What every detector found in the same photos."""

    runs: Mapping[str, DetectorRun]
    truth: Sequence[FaceBoxes]
    skipped: tuple[str, ...]

    def match(self, name: str, smallest_px: float) -> Matches:
        """Return which detections of one detector are right, for faces of this size or larger."""
        return match_detections(self.runs[name].found, self.truth, smallest_px=smallest_px)


class FacenetMtcnn:
    """MTCNN with facenet-pytorch's own defaults, on the photo as it is."""

    def __init__(self) -> None:
        from facenet_pytorch import MTCNN

        self._mtcnn: Any = MTCNN(keep_all=True)

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """Return all faces found, best first, without landmarks."""
        boxes, scores = self._mtcnn.detect(image.pixels)
        if boxes is None:
            return ()
        faces = [
            Face(Box(*(float(edge) for edge in box)), float(score))
            for box, score in zip(boxes, scores, strict=True)
            if box[2] > box[0] and box[3] > box[1]
        ]
        return tuple(sorted(faces, key=lambda face: -face.score))


def load_for_measuring(
    name: str, preset: Preset, *, device: Device = Device.AUTO, weights_dir: Path | None = None
) -> Detector:
    """Return a detector that reports everything with a score of :data:`.metrics.LOWEST` or more.

    :data:`FACENET` has no presets and reports what its library does.
    """
    if name == FACENET:
        return FacenetMtcnn()
    return build(
        name,
        get_settings(preset, name),
        threshold=LOWEST,
        device=device,
        weights_dir=weights_dir,
    )


def run_on_annotated(
    detectors: Mapping[str, Detector], images: Path, boxes: Path, progress: Progress | None = None
) -> DetectorRuns:
    """Return what ``detectors`` find in the photos of a COCO file.

    They take turns at every photo, so that their times can be compared.
    """
    skipped: list[str] = []
    truth: list[FaceBoxes] = []
    runs = {name: DetectorRun() for name in detectors}
    for image, faces in read_annotated_photos(images, boxes, skipped):
        if not truth:
            # The first call compiles the network, so it is not timed.
            for detector in detectors.values():
                detector.detect(image)
        for name, detector in detectors.items():
            runs[name].add(detector, image)
        truth.append(faces)
        if progress and len(truth) % _REPORT_EVERY == 0:
            progress(f"{len(truth)} photos …")
    if not truth:
        raise DataError(
            f"None of the photos in {images.name} can be read.",
            hint=f"The first: {skipped[0]}" if skipped else "",
        )
    return DetectorRuns(runs, truth, tuple(skipped))


def run_on_negatives(
    detectors: Mapping[str, Detector], negatives: Path | None, *, held_out: bool
) -> Mapping[str, DetectorRun]:
    """Return what ``detectors`` find in photos without a face; empty if there are no photos.

    With ``held_out``, photos that training learns from are left out.
    """
    if negatives is None:
        return {}
    runs = {name: DetectorRun() for name in detectors}
    for image in read_photos(negatives, []):
        if not (held_out and is_training_negative(image.name)):
            for name, detector in detectors.items():
                runs[name].add(detector, image)
    return runs
