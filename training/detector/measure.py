"""Asking detectors about photos, and how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.config import Device, Preset, settings_for
from core.detectors import DETECTORS, Detector
from core.errors import DataError
from core.types import RgbImage

from . import facenet_mtcnn
from .matching import Detections
from .metrics import LOWEST, AnnotatedDetections
from .photos import FaceBoxes, read_annotated_photos, read_photos

Progress = Callable[[str], None]
_TOLD_EVERY = 50
"""Photos between two lines of progress."""


@dataclass(slots=True)
class DetectorRun:
    """What one detector found, photo by photo, and in how many seconds."""

    found: list[Detections] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def ask(self, detector: Detector, image: RgbImage) -> None:
        """Let ``detector`` look at one more photo."""
        started = time.perf_counter()
        faces = detector.detect(image)
        self.seconds.append(time.perf_counter() - started)
        edges = [[face.box.x1, face.box.y1, face.box.x2, face.box.y2] for face in faces]
        scores = np.array([face.score for face in faces], np.float64)
        self.found.append(Detections(np.array(edges, np.float32).reshape(-1, 4), scores))


@dataclass(frozen=True, slots=True)
class DetectorRuns:
    """What every detector said of the same photos."""

    asked: Mapping[str, DetectorRun]
    truth: Sequence[FaceBoxes]
    skipped: tuple[str, ...]

    def of(self, name: str) -> AnnotatedDetections:
        """The detections of one detector, with the faces there are."""
        return AnnotatedDetections(self.asked[name].found, self.truth)


def load_for_measuring(
    name: str, preset: Preset, *, device: Device = Device.AUTO, weights_dir: Path | None = None
) -> Detector:
    """A detector that tells of everything it scores :data:`.metrics.LOWEST` or more.

    :data:`.facenet_mtcnn.NAME` is MTCNN as its library runs it, whatever the preset.
    """
    if name == facenet_mtcnn.NAME:
        return facenet_mtcnn.FacenetMtcnn()
    return DETECTORS.get(name)(
        settings=settings_for(preset, name),
        threshold=LOWEST,
        device=device,
        weights_dir=weights_dir,
    )


def run_on_annotated(
    detectors: Mapping[str, Detector], images: Path, boxes: Path, progress: Progress | None = None
) -> DetectorRuns:
    """What ``detectors`` find in the photos of a COCO file.

    They take turns at every photo, so that their times can be compared.
    """
    skipped: list[str] = []
    truth: list[FaceBoxes] = []
    asked = {name: DetectorRun() for name in detectors}
    for image, faces in read_annotated_photos(images, boxes, skipped):
        if not truth:
            # The first call compiles, and is not what a photo takes.
            for detector in detectors.values():
                detector.detect(image)
        for name, detector in detectors.items():
            asked[name].ask(detector, image)
        truth.append(faces)
        if progress and len(truth) % _TOLD_EVERY == 0:
            progress(f"{len(truth)} photos …")
    if not truth:
        raise DataError(
            f"None of the photos in {images.name} can be read.",
            hint=f"The first: {skipped[0]}" if skipped else "",
        )
    return DetectorRuns(asked, truth, tuple(skipped))


def run_on_photos(
    detectors: Mapping[str, Detector],
    images: Path,
    *,
    wanted: Callable[[str], bool] = lambda _name: True,
) -> Mapping[str, DetectorRun]:
    """What ``detectors`` find in those photos of a folder or zip whose name is ``wanted``."""
    asked = {name: DetectorRun() for name in detectors}
    for image in read_photos(images, []):
        if wanted(image.name):
            for name, detector in detectors.items():
                asked[name].ask(detector, image)
    return asked
