"""A pipeline that answers at once and needs no weights: faces are squares drawn for it.

A square of colour (255, g, 255) is a face; g tells which emotion it shows, and whether the
network is sure of it. Everything behind detection and classification is the real thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from core import (
    EMOTIONS,
    Analyzer,
    AnalyzerConfig,
    Box,
    Emotion,
    EmotionScores,
    Face,
    FaceAnalysis,
    ImageAnalysis,
    Landmarks,
    ModelInfo,
    RgbImage,
)
from core.calibration import Calibration
from core.classifiers import member_names
from core.classifiers.model import EmotionModel
from core.landmarks import DetectorLandmarks
from core.pipeline import PreparedImage

CERTAIN_FROM = 0.4
_STEP = 30
"""Green per emotion; half of it more means that the network is not sure."""
_LEAST_AREA = 20
"""Pixels; a photograph has single ones of any colour."""
_BACKGROUND = (40, 60, 50)


def picture(
    *faces: Emotion,
    unsure: Sequence[Emotion] = (),
    size_wh: tuple[int, int] = (480, 360),
    side: int = 60,
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB with one square per face, in rows from left to right."""
    pixels = np.full((size_wh[1], size_wh[0], 3), _BACKGROUND, np.uint8)
    greens = [EMOTIONS.index(e) * _STEP for e in faces]
    greens += [EMOTIONS.index(e) * _STEP + _STEP // 2 for e in unsure]
    across = max(1, (size_wh[0] - 10) // (side + 10))
    for number, green in enumerate(greens):
        x, y = 10 + number % across * (side + 10), 10 + number // across * (side + 10)
        pixels[y : y + side, x : x + side] = (255, green, 255)
    return pixels


def png(pixels: NDArray[np.uint8]) -> bytes:
    """The pixels as a file; PNG keeps the colours that make a face here."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


class SquareDetector:
    """Finds the squares, and counts the pictures it was shown."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.turns: list[int] = []

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        self.seen.append(image.name)
        self.turns.append(image.turned)
        pixels = image.pixels
        # Below 255, so that a JPEG's small errors do not matter.
        red, green, blue = (pixels[..., channel] for channel in range(3))
        labels, _ = ndimage.label((red > 235) & (blue > 235) & (green < 215))
        boxes = [
            Box(float(x.start), float(y.start), float(x.stop), float(y.stop))
            for y, x in ndimage.find_objects(labels)
        ]
        return tuple(Face(box, 0.99, _five_points(box)) for box in boxes if box.area >= _LEAST_AREA)


def _five_points(box: Box) -> Landmarks:
    """Eyes, nose and corners of the mouth where FER-2013's faces have them in their frame."""
    frame = np.array([(15.2, 19.0), (33.0, 18.8), (24.3, 28.0), (16.3, 36.7), (32.3, 36.7)])
    points = frame / 48 * [box.width, box.height] + [box.x1, box.y1]
    return Landmarks(points.astype(np.float32), "five_points")


class SquareClassifier:
    """Reads the emotion off the colour in the middle of a crop."""

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.zeros((len(crops), len(EMOTIONS)), np.float32)
        for row, crop in zip(rows, crops, strict=True):
            # Grey is 0.299 R + 0.587 G + 0.114 B.
            steps = (float(crop[24, 24]) - 0.413 * 255) / 0.587 / _STEP
            half_steps = min(round(2 * max(0.0, steps)), 2 * len(EMOTIONS) - 1)
            row[half_steps // 2] = 1.0 if half_steps % 2 else 4.0
        return rows


class FakeAnalyzer(Analyzer):
    """The real analyzer around these parts."""

    def __init__(self, config: AnalyzerConfig | None = None) -> None:
        self.detector = SquareDetector()
        super().__init__(
            config or AnalyzerConfig(),
            detector=self.detector,
            landmarks=DetectorLandmarks(),
            model=EmotionModel.from_single_classifier(
                (config or AnalyzerConfig()).model,
                SquareClassifier(),
                Calibration(certain_from=CERTAIN_FROM),
            ),
        )

    def explain(self, analysis: ImageAnalysis) -> tuple[NDArray[np.float32], ...]:
        """Says that the middle of each face mattered."""
        heat = np.zeros((48, 48), np.float32)
        heat[16:32, 16:32] = 1.0
        return tuple(heat for _ in analysis.faces)


class FakeEnsemble(FakeAnalyzer):
    """Three networks, of which the last names the next emotion in the order instead."""

    def classify(
        self, pictures: Sequence[PreparedImage], *, faces_per_call: int | None = None
    ) -> tuple[ImageAnalysis, ...]:
        """What the fake answers, with the three opinions."""
        return tuple(
            replace(
                analysis,
                faces=tuple(replace(face, per_model=_three(face)) for face in analysis.faces),
            )
            for analysis in super().classify(pictures, faces_per_call=faces_per_call)
        )


def _three(face: FaceAnalysis) -> dict[str, EmotionScores]:
    said = face.emotions
    shifted = (said.probabilities[-1], *said.probabilities[:-1])
    other = replace(said, probabilities=shifted)
    return {"mobilenet_v2": said, "resnet50": said, "inception_v3": other}


def model_info(name: str = "mobilenet_v2", **changes: Any) -> ModelInfo:
    """A trained model with figures as they are recorded."""
    figures = {"n": 3589, "accuracy": 0.671, "accuracy_interval": [0.655, 0.686], "ece": 0.0213}
    values: dict[str, Any] = {
        "name": name,
        "trained": True,
        "input_px": 96,
        "parameters": 2_232_839,
        "megabytes": 4.6,
        "metrics": {"validation": figures},
        "how_to_get": "",
        "members": member_names(name),
    }
    return ModelInfo(**{**values, **changes})


def untrained(name: str) -> ModelInfo:
    """A model that can be trained."""
    return model_info(
        name,
        trained=False,
        input_px=None,
        parameters=None,
        megabytes=None,
        metrics={},
        how_to_get=f"emotion train --model {name} --data DIR_OR_ZIP",
    )
