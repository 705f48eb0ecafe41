"""Bringing a face from a photo into the frame FER-2013 shows faces in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import AlignedCrop, Box, Float32Array, RgbImage, UInt8Array

CROP_PX = 48
"""Side of a FER-2013 image; every crop passes through it, so that a sharp photo looks like one."""


@dataclass(frozen=True, slots=True)
class FaceFrame:
    """Where eyes and mouth lie in a 48x48 crop; left and right are the viewer's.

    The crop spans 0 to 48, so that its middle is (24, 24). The defaults are the medians of the
    face mesh over FER-2013's training images.
    """

    left_eye: tuple[float, float] = (15.2, 19.0)
    right_eye: tuple[float, float] = (33.0, 18.8)
    mouth: tuple[float, float] = (24.3, 36.7)

    @classmethod
    def from_json(cls, entry: Mapping[str, Sequence[float]]) -> FaceFrame:
        """The frame stored in a manifest."""
        points = {name: (float(x), float(y)) for name, (x, y) in entry.items()}
        return cls(**points)

    @property
    def anchors(self) -> Float32Array:
        """(3, 2) left eye, right eye, mouth in crop pixels."""
        return np.array([self.left_eye, self.right_eye, self.mouth], dtype=np.float32)


_COMPLEX = np.array([1, 1j])


def matrix_from_anchors(anchors: Float32Array, frame: FaceFrame) -> NDArray[np.float64] | None:
    """The (2, 3) similarity, least squares, that lays ``anchors`` on the frame.

    As complex numbers points are turned and scaled by a factor, so that it is a regression
    through the means; the same as Umeyama's (1991) without mirroring. NumPy's own solvers would
    wake its threads for matrices of two by two, and those then take a core from the networks.
    ``anchors`` is (3, 2) left eye, right eye, mouth in image pixels. None when they coincide,
    or when no face can lie like that.
    """
    if not np.isfinite(anchors).all() or np.ptp(anchors, axis=0).max() < 1.0:
        return None
    given, wanted = (points.astype(np.float64) @ _COMPLEX for points in (anchors, frame.anchors))
    apart = given - given.mean()
    factor = (apart.conj() * (wanted - wanted.mean())).sum() / (np.abs(apart) ** 2).sum()
    move = wanted.mean() - factor * given.mean()
    matrix = np.array(
        [[factor.real, -factor.imag, move.real], [factor.imag, factor.real, move.imag]]
    )
    if not np.isfinite(matrix).all():
        return None
    # Points in mirrored order have no good similarity; least squares then shrinks them towards
    # one point. A crop that would show ten times the anchors' spread shows no face.
    spread = float(np.ptp(anchors, axis=0).max())
    return matrix if _scale(matrix) * spread * 10 > CROP_PX else None


def matrix_from_box(box: Box) -> NDArray[np.float64]:
    """The (2, 3) affine that maps the square around ``box`` onto the crop.

    Stands in where no landmarks were found. The square's side is the box's mean side: a
    detector's box is taller than FER-2013's crop, which cuts forehead and chin.
    """
    side = max((box.width + box.height) / 2, 1.0)
    scale = CROP_PX / side
    centre_x, centre_y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    half = CROP_PX / 2
    return np.array([[scale, 0.0, half - scale * centre_x], [0.0, scale, half - scale * centre_y]])


def cut(image: RgbImage, matrix: NDArray[np.float64]) -> AlignedCrop:
    """The 48x48 grey crop that ``matrix`` (image to crop, invertible) describes.

    Beyond the picture its border is repeated.
    """
    return AlignedCrop(pixels=warped(image, matrix, CROP_PX), matrix=matrix)


def warped(image: RgbImage, matrix: NDArray[np.float64], side: int) -> UInt8Array:
    """The (side, side) uint8 grey square that ``matrix`` (image to square) describes, read-only.

    A large face is first warped to a multiple of ``side`` and then averaged down, because
    sampling a photo directly at that size would alias.
    """
    # 32 * 48 = 1536 px: a face larger than that has no detail left to lose by then. Rounding
    # errors do not count: a face that fits already would be blurred for nothing.
    factor = int(np.clip(np.ceil(1.0 / max(_scale(matrix), 1e-6) - 1e-3), 1, 32))
    enlarged = between_centres(matrix * factor)
    large = side * factor
    # Only the part that the square shows is converted to grey.
    window, offset = _source_window(image, enlarged, large)
    shifted = enlarged.copy()
    shifted[:, 2] += enlarged[:, :2] @ offset
    grey = cv2.cvtColor(np.ascontiguousarray(window), cv2.COLOR_RGB2GRAY)
    found = cv2.warpAffine(
        grey, shifted, (large, large), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if factor > 1:
        found = cv2.resize(found, (side, side), interpolation=cv2.INTER_AREA)
    pixels = np.asarray(found, dtype=np.uint8)
    pixels.setflags(write=False)
    return pixels


def between_centres(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """``matrix`` for cv2, which counts from the middle of the first pixel, not from its corner."""
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return shifted


def _scale(matrix: NDArray[np.float64]) -> float:
    (a, b), (c, d) = matrix[:, :2]
    return float(np.sqrt(abs(a * d - b * c)))


def _source_window(
    image: RgbImage, matrix: NDArray[np.float64], side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the picture that maps into the (side, side) output, and its top-left corner."""
    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0, 1], [side, 0, 1], [0, side, 1], [side, side, 1]], dtype=np.float64)
    mapped = corners @ inverse.T
    low = np.floor(mapped.min(axis=0)).astype(int) - 2
    high = np.ceil(mapped.max(axis=0)).astype(int) + 3
    limit = np.array([image.width, image.height])
    low = np.clip(low, 0, limit - 1)
    high = np.clip(high, low + 1, limit)
    return image.pixels[low[1] : high[1], low[0] : high[0]], low.astype(np.float64)
