"""Aligning a face to the frame of FER-2013."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import AlignedCrop, Box, Float32Array, RgbImage, UInt8Array

CROP_PX = 48
"""Side of a FER-2013 image; every crop has it, so that a sharp photo looks like one of them."""


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
        """Return the frame stored in a manifest."""
        return cls(**{name: (float(x), float(y)) for name, (x, y) in entry.items()})

    @property
    def anchors(self) -> Float32Array:
        """Return the (3, 2) left eye, right eye and mouth in crop pixels."""
        return np.array([self.left_eye, self.right_eye, self.mouth], dtype=np.float32)


_COMPLEX = np.array([1, 1j])


def matrix_from_anchors(anchors: Float32Array, frame: FaceFrame) -> NDArray[np.float64] | None:
    """Return the (2, 3) least-squares similarity that maps ``anchors`` onto the frame.

    ``anchors`` are (3, 2): left eye, right eye, mouth in image pixels. None if they coincide or
    cannot be those of a face. Points as complex numbers are rotated and scaled by one factor, so
    this is a linear regression, equal to Umeyama (1991) without mirroring. NumPy's solvers would
    start its threads for 2 x 2 matrices, and those then take a core from the networks.
    """
    if not np.isfinite(anchors).all() or np.ptp(anchors, axis=0).max() < 1.0:
        return None
    given, wanted = (points.astype(np.float64) @ _COMPLEX for points in (anchors, frame.anchors))
    centred = given - given.mean()
    factor = (centred.conj() * (wanted - wanted.mean())).sum() / (np.abs(centred) ** 2).sum()
    move = wanted.mean() - factor * given.mean()
    matrix = np.array(
        [[factor.real, -factor.imag, move.real], [factor.imag, factor.real, move.imag]]
    )
    if not np.isfinite(matrix).all():
        return None
    # Mirrored points have no good similarity; least squares then shrinks them towards one point.
    # A crop that would show ten times the anchors' spread shows no face.
    spread = float(np.ptp(anchors, axis=0).max())
    return matrix if _scale(matrix) * spread * 10 > CROP_PX else None


def matrix_from_box(box: Box) -> NDArray[np.float64]:
    """Return the (2, 3) affine that maps the square around ``box`` onto the crop.

    Used if no landmarks were found. The square's side is the box's mean side: a
    detector's box is taller than FER-2013's crop, which cuts forehead and chin.
    """
    side = max((box.width + box.height) / 2, 1.0)
    scale = CROP_PX / side
    centre_x, centre_y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    half = CROP_PX / 2
    return np.array([[scale, 0.0, half - scale * centre_x], [0.0, scale, half - scale * centre_y]])


def crop_face(image: RgbImage, matrix: NDArray[np.float64]) -> AlignedCrop:
    """Return the 48x48 grey crop that ``matrix`` (image to crop, invertible) describes.

    Beyond the image its border is repeated.
    """
    return AlignedCrop(pixels=warp_square(image, matrix, CROP_PX), matrix=matrix)


def warp_square(image: RgbImage, matrix: NDArray[np.float64], side: int) -> UInt8Array:
    """Return the read-only (side, side) uint8 grey square of ``matrix`` (image to square).

    A large face is first warped to a multiple of ``side`` and then averaged down, because
    sampling it directly would alias.
    """
    # 32 * 48 = 1536 px are enough for any face. The 1e-3 absorbs rounding errors, which would
    # otherwise blur a face that fits already.
    factor = int(np.clip(np.ceil(1.0 / max(_scale(matrix), 1e-6) - 1e-3), 1, 32))
    enlarged = to_pixel_centres(matrix * factor)
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


def to_pixel_centres(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``matrix`` for cv2, whose origin is the centre of the first pixel, not its corner."""
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return shifted


def _scale(matrix: NDArray[np.float64]) -> float:
    (a, b), (c, d) = matrix[:, :2]
    return float(np.sqrt(abs(a * d - b * c)))


def _source_window(
    image: RgbImage, matrix: NDArray[np.float64], side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the part of the image that maps into the (side, side) output, and its corner."""
    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0, 1], [side, 0, 1], [0, side, 1], [side, side, 1]], dtype=np.float64)
    mapped = corners @ inverse.T
    low = np.floor(mapped.min(axis=0)).astype(int) - 2
    high = np.ceil(mapped.max(axis=0)).astype(int) + 3
    limit = np.array([image.width, image.height])
    low = np.clip(low, 0, limit - 1)
    high = np.clip(high, low + 1, limit)
    return image.pixels[low[1] : high[1], low[0] : high[0]], low.astype(np.float64)
