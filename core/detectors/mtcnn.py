"""facenet-pytorch's MTCNN (Zhang et al. 2016, pretrained) behind our detector protocol."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.utils import detect_face
from numpy.typing import NDArray

from ..config import Device, PresetSettings
from ..types import Box, Face, Landmarks, RgbImage

DEFAULT_THRESHOLD = 0.9
"""Lowest score of its last stage that counts: best F1 on 188 photos, .862 at faces of 20 px and
more, .885 at 32 px and more."""


class MtcnnDetector:
    """Faces with five landmarks each. Holds no state between calls, so threads may share it."""

    def __init__(self, *, working_px: int, min_face_px: int, threshold: float, device: str) -> None:
        self._working_px = working_px
        self._min_face_px = min_face_px
        self._threshold = threshold
        detect_face.pad = _windows
        self._network = MTCNN(
            min_face_size=min_face_px,
            keep_all=True,
            select_largest=False,
            post_process=False,
            device=torch.device(device),
        ).eval()

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """All faces scored at or above the threshold, best first."""
        scale = min(1.0, self._working_px / max(image.width, image.height))
        pixels = image.pixels
        if scale < 1.0:
            size_wh = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            pixels = np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA))
        # Below the smallest face its pyramid has no level at all, which it cannot handle.
        if min(pixels.shape[:2]) < self._min_face_px:
            return ()
        boxes, scores, points = self._network.detect(pixels, landmarks=True)
        if boxes is None:
            return ()
        back = np.array([image.width / pixels.shape[1], image.height / pixels.shape[0]])
        faces = []
        for box, score, five in zip(boxes, scores, points, strict=True):
            if not score >= self._threshold:
                continue
            x1, y1, x2, y2 = (
                float(v) for v in np.asarray(box, dtype=np.float64) * np.tile(back, 2)
            )
            landmarks = Landmarks((np.asarray(five) * back).astype(np.float32), "five_points")
            faces.append(Face(Box(x1, y1, x2, y2), float(min(score, 1.0)), landmarks))
        return tuple(sorted(faces, key=lambda face: -face.score))


def _windows(boxes: Any, width: int, height: int) -> tuple[NDArray[np.int32], ...]:
    """Rows and columns (y1, y2, x1, x2), from 1 and inclusive, that a network sees of each box.

    Takes the place of the library's ``pad``, which leaves a box that regression moved off the
    picture without a pixel; such a box is then skipped in one list and kept in another, and
    ``detect`` ends with an IndexError. Here it keeps the border's pixel, which no network takes
    for a face. Boxes that touch the picture come out as in the library.
    """
    x1, y1, x2, y2 = boxes.trunc().int().cpu().numpy()[:, :4].T
    x1, y1 = x1.clip(1, width), y1.clip(1, height)
    return y1, np.maximum(y2.clip(max=height), y1), x1, np.maximum(x2.clip(max=width), x1)


def load_mtcnn(
    *, settings: PresetSettings, threshold: float | None = None, device: Device = Device.AUTO
) -> MtcnnDetector:
    """MTCNN for a preset; ``threshold`` None takes the measured default."""
    on_gpu = device is not Device.CPU and torch.cuda.is_available()
    return MtcnnDetector(
        working_px=settings.working_px,
        min_face_px=settings.min_face_px,
        threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
        device="cuda" if on_gpu else "cpu",
    )
