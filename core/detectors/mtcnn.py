"""MTCNN (Zhang et al. 2016) with facenet-pytorch's weights as a detector."""

from __future__ import annotations

from pathlib import Path

from ..config import Device, PresetSettings
from ..faces.reduce import shrink_to_fit
from ..types import Face, RgbImage
from .cascade import (
    PYRAMID_FACTOR,
    STAGE_THRESHOLDS,
    CascadeSettings,
    find_faces,
)
from .mtcnn_networks import load_networks

DEFAULT_THRESHOLD = 0.9
"""Lowest score of the last stage that counts: best F1 on 188 photos, .862 for faces of 20 px and
more, .885 for 32 px and more."""


class MtcnnDetector:
    """Finds faces with five landmarks each; threads may share it."""

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
        """Return all faces scored at or above the threshold, best first."""
        pixels = shrink_to_fit(image.pixels, self._working_px)
        found = find_faces(pixels, self._networks, self._settings)
        return found.to_faces(image, pixels, self._threshold)


def load_mtcnn(
    *,
    settings: PresetSettings,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,  # noqa: ARG001 - its weights come with facenet-pytorch
) -> MtcnnDetector:
    """Load MTCNN for a preset; ``threshold`` None means the measured default."""
    level = DEFAULT_THRESHOLD if threshold is None else threshold
    first, second, third = STAGE_THRESHOLDS
    return MtcnnDetector(
        working_px=settings.working_px,
        min_face_px=settings.min_face_px,
        threshold=level,
        device=device,
        # The last stage must not drop faces that the threshold lets through.
        stage_thresholds=(first, second, min(third, level)),
    )
