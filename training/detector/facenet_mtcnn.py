"""MTCNN as its library runs it, only to compare our detectors with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.types import Box, Face, RgbImage

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "facenet-pytorch"
"""Its name for `emotion detector evaluate --against`."""


class FacenetMtcnn:
    """MTCNN with facenet-pytorch's own defaults, on the photo as it is."""

    def __init__(self) -> None:
        from facenet_pytorch import MTCNN

        self._mtcnn: Any = MTCNN(keep_all=True)

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """Return all faces found, best first, without landmarks."""
        found: tuple[Sequence[Any] | None, Sequence[Any]] = self._mtcnn.detect(image.pixels)
        boxes, scores = found
        if boxes is None:
            return ()
        faces = [
            Face(Box(*(float(edge) for edge in box)), float(score))
            for box, score in zip(boxes, scores, strict=True)
            if box[2] > box[0] and box[3] > box[1]
        ]
        return tuple(sorted(faces, key=lambda face: -face.score))
