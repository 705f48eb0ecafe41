"""A layer to draw on over a 48x48 face, in coordinates of the face's frame."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces.alignment import CROP_PX, FaceFrame
from core.types import Float32Array, UInt8Array

SCALE = 2
"""The layer is drawn at this many times the size of a face, then averaged down."""
SIDE = CROP_PX * SCALE

Points = Sequence[tuple[float, float]] | NDArray[np.float64]

_FRAME = FaceFrame()
_EYE_RADII, _MOUTH_RADII = (4.2, 2.4), (7.0, 3.0)
"""Half axes of what an eye and the lips take of a face in its frame, in pixels of 48."""


def _ellipse_region(centre: tuple[float, float], radii: tuple[float, float]) -> Float32Array:
    """Return (48, 48) weights, 1 inside the ellipse and 0 outside, that sum to one."""
    y, x = np.mgrid[:CROP_PX, :CROP_PX] + 0.5
    inside = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 <= 1
    return np.asarray(inside / inside.sum(), np.float32)


_REGIONS = tuple(
    _ellipse_region(centre, radii)
    for centre, radii in (
        (_FRAME.left_eye, _EYE_RADII),
        (_FRAME.right_eye, _EYE_RADII),
        (_FRAME.mouth, _MOUTH_RADII),
    )
)


class Canvas:
    """What is drawn over one face: how much it hides, and in which grey."""

    def __init__(self, draw: np.random.Generator, face: UInt8Array) -> None:
        self.draw = draw
        self.face = face
        self._hidden = np.zeros((SIDE, SIDE), np.float32)
        self._grey = np.zeros((SIDE, SIDE), np.float32)
        # Nothing lies exactly where the frame says, and heads are turned.
        u = draw.uniform
        roll, stretch = u(-0.12, 0.12), u(0.9, 1.12)
        cos, sin = np.cos(roll), np.sin(roll)
        self._turn = np.array([[cos * u(0.88, 1.12), -sin], [sin, cos]]) * stretch
        self._middle = np.array([24.1, 27.0])
        self._shift = np.array([u(-1.5, 1.5), u(-1.5, 1.5)])

    def place(self, points: Points) -> NDArray[np.int32]:
        """Return points of the frame in pixels of the layer, turned and shifted with it."""
        given = np.asarray(points, np.float64) - self._middle
        moved = given @ self._turn.T + self._middle + self._shift
        return np.asarray(np.rint(moved * SCALE), np.int32)

    def fill(self, points: Points, *, smooth: bool = False) -> Float32Array:
        """Return the (SIDE, SIDE) mask of a polygon, its corners rounded if ``smooth``."""
        outline = np.asarray(points, np.float64)
        if smooth:
            outline = round_corners(outline)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, [self.place(outline)], (255,))
        return mask.astype(np.float32) / 255

    def stroke(self, points: Points, width: float) -> Float32Array:
        """Return the mask of a line with round ends; ``width`` in pixels of the frame."""
        mask = np.zeros((SIDE, SIDE), np.uint8)
        thickness = max(1, round(width * SCALE))
        cv2.polylines(mask, [self.place(points)], False, (255,), thickness, cv2.LINE_AA)
        return mask.astype(np.float32) / 255

    def paint(
        self,
        mask: Float32Array,
        grey: Float32Array | float,
        *,
        opacity: float | Float32Array = 1.0,
        soft: float = 0.4,
    ) -> None:
        """Paint ``grey`` where ``mask`` is; its edge is ``soft`` pixels of the frame wide."""
        if soft > 0:
            mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft * SCALE), np.float32)
        covers = mask * np.asarray(opacity, np.float32)
        # Stored multiplied by the opacity so far.
        self._grey += covers * (grey - self._grey)
        self._hidden += covers * (1 - self._hidden)

    def erase(self, mask: Float32Array) -> None:
        """Show the face again where ``mask`` is."""
        self._grey *= 1 - mask
        self._hidden *= 1 - mask

    def result(self) -> tuple[UInt8Array, tuple[float, float, float]]:
        """Return the (48, 48) face with the layer, and how much of each eye and the mouth it hides.

        The shares are 0..1: the viewer's left eye, the right one, the mouth.
        """
        size = (CROP_PX, CROP_PX)
        hidden = cv2.resize(self._hidden, size, interpolation=cv2.INTER_AREA)
        grey = cv2.resize(self._grey, size, interpolation=cv2.INTER_AREA)
        shown = np.clip(np.rint(self.face * (1 - hidden) + grey), 0, 255).astype(np.uint8)
        left, right, mouth = (float((hidden * region).sum()) for region in _REGIONS)
        return shown, (left, right, mouth)


def round_corners(points: NDArray[np.float64], rounds: int = 3) -> NDArray[np.float64]:
    """Return a closed polygon with its corners cut ``rounds`` times (Chaikin 1974)."""
    for _ in range(rounds):
        after = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after], 1)
        points = points.reshape(-1, 2)
    return points


def make_ellipse(
    centre: tuple[float, float], radii: tuple[float, float], *, power: float = 2.0
) -> NDArray[np.float64]:
    """Return the outline of a superellipse: at ``power`` 2 an ellipse, above it more of a box."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cos, sin = np.cos(angles), np.sin(angles)
    x = np.sign(cos) * np.abs(cos) ** (2 / power) * radii[0] + centre[0]
    y = np.sign(sin) * np.abs(sin) ** (2 / power) * radii[1] + centre[1]
    return np.stack([x, y], axis=1)


def make_half(edge: float, slant: float, far: float, *, across: bool) -> NDArray[np.float64]:
    """Return the outline of what lies between a slanted ``edge`` and ``far``, beyond the face.

    The edge runs ``across`` the face, or from top to bottom.
    """
    half = np.array([(-12, edge - slant), (60, edge + slant), (60, far), (-12, far)], np.float64)
    return half if across else half[:, ::-1]


def make_blob(
    draw: np.random.Generator, centre: tuple[float, float], radii: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the outline of an irregular shape about an ellipse."""
    angles = np.linspace(0, 2 * np.pi, draw.integers(5, 11), endpoint=False)
    lengths = draw.uniform(0.75, 1.25, len(angles))
    x = np.cos(angles) * lengths * radii[0] + centre[0]
    y = np.sin(angles) * lengths * radii[1] + centre[1]
    return round_corners(np.stack([x, y], axis=1))
