"""Fake parts of a pipeline that need no weights, and example answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core import (
    EMOTIONS,
    AlignedCrop,
    Analyzer,
    AnalyzerConfig,
    Box,
    Emotion,
    EmotionScores,
    Face,
    FaceAnalysis,
    FaceQuality,
    ImageAnalysis,
    Landmarks,
    Provenance,
    Reading,
    RgbImage,
)
from core.calibration import Calibration
from core.classifiers.model import EmotionModel
from core.detectors import Detector
from core.faces.alignment import matrix_from_box


class FixedDetector:
    """Finds the given faces in every picture."""

    def __init__(self, *faces: Face) -> None:
        self.faces = faces

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        return self.faces


class FixedLandmarks:
    """Returns the same landmarks, or None, for every face."""

    def __init__(self, landmarks: Landmarks | None = None) -> None:
        self.landmarks = landmarks

    def locate(self, image: RgbImage, faces: Sequence[Face]) -> tuple[Landmarks | None, ...]:
        return tuple(self.landmarks for _ in faces)


class BrightnessClassifier:
    """Finds bright crops happier, and records the crops."""

    def __init__(self, value: float | None = None) -> None:
        self.value = value
        self.seen: list[NDArray[np.uint8]] = []

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen = list(crops)
        rows = np.zeros((len(crops), len(EMOTIONS)), np.float32)
        happy = EMOTIONS.index(Emotion.HAPPY)
        rows[:, happy] = crops.mean(axis=(1, 2)) / 32 if self.value is None else self.value
        return rows


def analyzer(
    *faces: Face,
    detector: Detector | None = None,
    landmarks: Landmarks | None = None,
    classifier: BrightnessClassifier | None = None,
    calibration: Calibration | None = None,
    **options: object,
) -> Analyzer:
    """Return an analyzer with the fakes above; ``options`` go to its config."""
    return Analyzer(
        AnalyzerConfig(**options),
        detector=detector or FixedDetector(*faces),
        landmarks=FixedLandmarks(landmarks),
        model=replace(
            EmotionModel.from_single_classifier(
                str(options.get("model", "mobilenet_v2")),
                classifier or BrightnessClassifier(),
                calibration or Calibration(),
            ),
            weights_sha256={"mobilenet_v2": "ab" * 32},
        ),
    )


def five_points(x: float = 0.0, y: float = 0.0, scale: float = 1.0) -> Landmarks:
    """Return landmarks that match FER-2013's frame at (0, 0) and scale 1."""
    frame = [(15.2, 19.0), (33.0, 18.8), (24.3, 28.0), (16.3, 36.7), (32.3, 36.7)]
    return Landmarks(np.array(frame, np.float32) * scale + np.float32([x, y]), "five_points")


def scores(certain_from: float = 0.0, **probabilities: float) -> EmotionScores:
    """Return scores, e.g. ``scores(happy=0.7, sad=0.3)``; all others are 0."""
    return EmotionScores(tuple(probabilities.get(e, 0.0) for e in EMOTIONS), certain_from)


def face_analysis(index: int, box: Box, emotions: EmotionScores | None = None) -> FaceAnalysis:
    """Return the answer for one face."""
    emotions = emotions or scores(happy=0.75, neutral=0.25)
    return FaceAnalysis(
        index=index,
        face=Face(box, 0.987654, five_points(box.x1, box.y1, box.width / 48)),
        reading=Reading.PEOPLE,
        readings={Reading.PEOPLE: emotions, Reading.FER2013: scores(happy=0.5, sad=0.5)},
        per_model={"mobilenet_v2": emotions},
        quality=FaceQuality(
            min(box.width, box.height),
            123.456,
            0.5,
            0.25,
            None,
            None,
            -1.25,
            ("The face is dark.",),
        ),
        crop=AlignedCrop(np.zeros((48, 48), np.uint8), matrix_from_box(box)),
    )


def image_analysis(
    *faces: FaceAnalysis, name: str = "photo.jpg", size_wh: tuple[int, int] = (640, 480)
) -> ImageAnalysis:
    """Return the answer for a picture with ``faces``."""
    return ImageAnalysis(
        name=name,
        width=size_wh[0],
        height=size_wh[1],
        faces=faces,
        provenance=Provenance(
            "0.1.0",
            "mobilenet_v2",
            "mtcnn",
            "face_mesh",
            "people",
            {"mobilenet_v2": "ab" * 32},
            "0123456789ab",
        ),
        notes=("The file is an animation; only its first frame was read.",),
        elapsed_s={"detect": 0.1},
    )
