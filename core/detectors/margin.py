"""A second look for a face that fills the picture, or is cut off by its edges.

Networks learn faces with something around them. Where no face is found for sure, the picture is
searched once more, small and with a margin: a face as large as the picture then looks like any
other. That costs little, and nothing for a photo with a sure face.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..faces.boxes import drop_nested
from ..faces.reduce import shrink_to_fit
from ..types import Box, Face, Landmarks, RgbImage

if TYPE_CHECKING:
    from . import Detector

SURE_FROM = 0.6
"""Score of a face from which there is no second look, and from which one counts there: nearly all
faces that fill a natural photo have .7 and more, things that are no faces up to .57."""
_MARGIN = 0.6
"""On each side, as a share of the longer side: of 113 natural photos whose face was missed without
a margin, the first version of our detector found 61 with .2, 93 with .4, 104 with .6."""
_CANVAS_PX = 256
"""Side of the picture with its margin; a face that fills it is still over 80 px wide."""
_LEAST = 0.35
"""A face counts from this share of the picture's shorter side; a smaller one needs no margin."""
_GREY = (114, 114, 114)
"""The margin, as in the training of our own detector."""
_SAME_FACE = 0.5
"""Covered share of the smaller of two boxes above which both looks found the same face, or a part
of it."""


@dataclass(frozen=True, slots=True)
class MarginDetector:
    """Searches with another detector, and once more with a margin where it is not sure."""

    detector: Detector

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """Return all faces in any order; boxes may reach beyond the image."""
        found = self.detector.detect(image)
        if max((face.score for face in found), default=0.0) >= SURE_FROM:
            return found
        large = _find_large_faces(self.detector, image)
        if not large:
            return found
        faces = (*found, *large)
        boxes = np.array([(f.box.x1, f.box.y1, f.box.x2, f.box.y2) for f in faces], np.float64)
        order = np.argsort([-face.score for face in faces], kind="stable")
        kept = drop_nested(boxes, order, _SAME_FACE)
        return tuple(faces[index] for index in kept)


def _find_large_faces(detector: Detector, image: RgbImage) -> list[Face]:
    """Return the sure faces of at least :data:`_LEAST` of the picture that a margin brings out."""
    pixels = shrink_to_fit(image.pixels, round(_CANVAS_PX / (1 + 2 * _MARGIN)))
    margin = round(_MARGIN * max(pixels.shape[:2]))
    scale = np.array([image.width / pixels.shape[1], image.height / pixels.shape[0]])
    widened = cv2.copyMakeBorder(
        pixels, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=_GREY
    )
    least = _LEAST * min(image.width, image.height)
    faces = (
        _move_back(face, margin, scale)
        for face in detector.detect(RgbImage(np.asarray(widened, np.uint8)))
    )
    return [
        face
        for face in faces
        if face.score >= SURE_FROM and min(face.box.width, face.box.height) >= least
    ]


def _move_back(
    face: Face, margin: int, scale: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Face:
    """Return a face of the widened picture in pixels of the image."""
    edges = np.array([[face.box.x1, face.box.y1], [face.box.x2, face.box.y2]])
    (x1, y1), (x2, y2) = ((edges - margin) * scale).tolist()
    moved = replace(face, box=Box(x1, y1, x2, y2))
    if face.landmarks is None:
        return moved
    points = ((face.landmarks.points - margin) * scale).astype(np.float32)
    return replace(moved, landmarks=Landmarks(points, face.landmarks.scheme))
