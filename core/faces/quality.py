"""Quality of a face, with reasons to doubt the answer in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..landmarks.anchors import anchor_points
from ..types import Box, FacePart, FaceQuality, Landmarks, RgbImage

_JUDGED_PX = 96
"""Side at which sharpness is measured, so that large and small faces are comparable."""

_USUAL_CONTRAST = 0.2
"""Faces in ordinary photos range from 0.13 to 0.28."""
_LEAST_CONTRAST = 0.05
"""That of a usual face at a quarter of the light; below it, noise looks like sharpness."""

READABLE_PX = 20
"""A smaller face has too few pixels for a certain answer."""
READABLE_YAW, READABLE_PITCH = 35, 40
"""Degrees beyond which a face is turned further than nearly all that answers were calibrated on."""

_COVERED = {
    FacePart.EYES: "The eyes seem to be covered.",
    FacePart.MOUTH: "The mouth seems to be covered.",
    FacePart.ONE_EYE: "One eye seems to be covered.",
}
WITHHELD_IF_COVERED = frozenset({FacePart.EYES, FacePart.MOUTH, FacePart.ONE_EYE})
"""Parts without which fewer certain answers are right than promised."""

# Face mesh indices of both temples, the forehead's top and the chin: points that a smile or an
# open mouth hardly moves against each other.
_LEFT_TEMPLE, _RIGHT_TEMPLE, _FOREHEAD, _CHIN = 234, 454, 10, 152


def assess_quality(
    image: RgbImage, box: Box, landmarks: Landmarks | None, covered: Sequence[FacePart] = ()
) -> FaceQuality:
    """Return the quality of the face in ``box``, which may reach beyond the image.

    ``covered`` are the parts that :class:`.covered.CoverCheck` found to be covered.
    """
    inside = box.clip(image.width, image.height)
    size = min(box.width, box.height)
    grey = _face_grey(image, inside)
    brightness = float(grey.mean() / 255)
    contrast = float(grey.std() / 255)
    # Scaled to a usual contrast, so that a dark face is not called blurred as well.
    stretched = _USUAL_CONTRAST / max(contrast, _LEAST_CONTRAST)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var()) * stretched**2
    yaw, pitch, roll = head_pose(landmarks)
    # FER-2013 shows faces at 48 px: a smaller face lacks the detail the networks know.
    small = size < 40
    shown = inside.area / box.area if box.area > 0 else 0.0
    # Every reason with what it means: the answer may be wrong, or it can never be certain.
    reasons = [
        (reason, unreadable)
        for holds, reason, unreadable in (
            *((True, _COVERED[part], part in WITHHELD_IF_COVERED) for part in covered),
            (
                small,
                # Rounded down: 39.6 px are not "40 px" that should be 40 or more.
                f"The face is small ({math.floor(size)} px); 40 px or more reads better.",
                size < READABLE_PX,
            ),
            # Faces of 37 px and more in 36 ordinary photos reach 120; blurring the astronaut's
            # 89 px over 7 px, which removes the fine lines around eyes and mouth, leaves 58. A
            # small face has no such lines, so its size is reason enough.
            (sharpness < 60 and not small, "The face is blurred.", False),
            (brightness < 0.18, "The face is dark.", False),
            (brightness > 0.88, "The face is overexposed.", False),
            (contrast < 0.07, "The face has little contrast.", False),
            (_exceeds(yaw, 35), "The face is turned to the side.", _exceeds(yaw, READABLE_YAW)),
            (
                _exceeds(pitch, 30),
                "The face looks far up or down.",
                _exceeds(pitch, READABLE_PITCH),
            ),
            (shown < 0.92, "The face is cut off by the edge of the picture.", False),
            (
                landmarks is None,
                "Eyes and mouth could not be located; the face may be covered.",
                True,
            ),
        )
        if holds
    ]
    return FaceQuality(
        size_px=size,
        sharpness=sharpness,
        brightness=brightness,
        contrast=contrast,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        reasons=tuple(reason for reason, _ in reasons),
        unreadable=next((reason for reason, unreadable in reasons if unreadable), None),
        covered=tuple(covered),
    )


def _exceeds(degrees: float | None, limit: float) -> bool:
    return degrees is not None and abs(degrees) > limit


def _face_grey(image: RgbImage, inside: Box) -> NDArray[np.uint8]:
    """Return the face as (96, 96) uint8 grey."""
    x1 = min(int(inside.x1), image.width - 1)
    y1 = min(int(inside.y1), image.height - 1)
    x2 = max(x1 + 1, min(math.ceil(inside.x2), image.width))
    y2 = max(y1 + 1, min(math.ceil(inside.y2), image.height))
    pixels = np.ascontiguousarray(image.pixels[y1:y2, x1:x2])
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    method = cv2.INTER_AREA if min(grey.shape) > _JUDGED_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (_JUDGED_PX, _JUDGED_PX), interpolation=method), np.uint8)


def head_pose(landmarks: Landmarks | None) -> tuple[float | None, float | None, float | None]:
    """Return yaw, pitch and roll in degrees, signs as in :class:`FaceQuality`; None if unknown.

    Uses the depth of the mesh; five points give only the roll.
    """
    if landmarks is None:
        return None, None, None
    if landmarks.depth is None:
        left, right = anchor_points(landmarks)[:2]
        return None, None, math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
    points = np.column_stack([landmarks.points, landmarks.depth]).astype(np.float64)
    across = points[_RIGHT_TEMPLE] - points[_LEFT_TEMPLE]
    down = points[_CHIN] - points[_FOREHEAD]
    # Where the face looks, with z pointing away from the viewer.
    ahead = np.cross(down, across)
    if not np.linalg.norm(ahead) > 0:
        return None, None, None
    yaw = math.degrees(math.atan2(ahead[0], -ahead[2]))
    pitch = math.degrees(math.atan2(-ahead[1], math.hypot(ahead[0], ahead[2])))
    roll = math.degrees(math.atan2(across[1], across[0]))
    return yaw, pitch, roll
