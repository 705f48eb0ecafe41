"""MTCNN (Zhang et al. 2016) with facenet-pytorch's weights behind our detector protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..config import Device, PresetSettings
from ..faces.reduce import reduced_to
from ..types import Box, Face, Landmarks, RgbImage
from .cascade import PYRAMID_FACTOR, STAGE_THRESHOLDS, CascadeSettings, find_faces
from .mtcnn_networks import load_networks

DEFAULT_THRESHOLD = 0.9
"""Lowest score of its last stage that counts: best F1 on 188 photos, .862 at faces of 20 px and
more, .885 at 32 px and more."""


class MtcnnDetector:
    """Faces with five landmarks each. Holds no state between calls, so threads may share it."""

    def __init__(
        self,
        *,
        working_px: int,
        min_face_px: int,
        threshold: float,
        device: Device = Device.AUTO,
        stage_thresholds: tuple[float, float, float] = STAGE_THRESHOLDS,
        pyramid_factor: float = PYRAMID_FACTOR,
    ) -> None:
        self._working_px = working_px
        self._threshold = threshold
        self._settings = CascadeSettings(min_face_px, pyramid_factor, stage_thresholds)
        self._networks = load_networks(device)

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """All faces scored at or above the threshold, best first."""
        pixels = reduced_to(image.pixels, self._working_px)
        found = find_faces(pixels, self._networks, self._settings)
        back = np.array([image.width / pixels.shape[1], image.height / pixels.shape[0]])
        faces = []
        for box, score, five in zip(found.boxes, found.scores, found.points, strict=True):
            if not score >= self._threshold:
                continue
            x1, y1, x2, y2 = (float(edge) for edge in box.astype(np.float64) * np.tile(back, 2))
            landmarks = Landmarks((five * back).astype(np.float32), "five_points")
            faces.append(Face(Box(x1, y1, x2, y2), float(min(score, 1.0)), landmarks))
        return tuple(faces)


def load_mtcnn(
    *,
    settings: PresetSettings,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,  # noqa: ARG001 - its weights come with facenet-pytorch
) -> MtcnnDetector:
    """MTCNN for a preset; ``threshold`` None takes the measured default."""
    level = DEFAULT_THRESHOLD if threshold is None else threshold
    first, second, third = STAGE_THRESHOLDS
    return MtcnnDetector(
        working_px=settings.working_px,
        min_face_px=settings.min_face_px,
        threshold=level,
        device=device,
        # The last stage must not drop what is asked for.
        stage_thresholds=(first, second, min(third, level)),
    )
