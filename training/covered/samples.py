"""One training sample: a face, with or without something drawn over it, and what that covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces.alignment import CROP_PX
from core.types import Float32Array, UInt8Array

from .canvas import Canvas
from .coverings import COVERINGS, Covering
from .distractors import DISTRACTORS

UNKNOWN = -1.0
"""Target of a part about which a sample says nothing."""
_COVERED_FROM, _FREE_UP_TO = 0.6, 0.3
"""Hidden share of an eye, or of the mouth, from which it is covered and up to which it is not."""


def draw_sample(
    draw: np.random.Generator,
    face: UInt8Array,
    other: UInt8Array,
    trusted: NDArray[np.bool_],
    *,
    covered: float,
    distracted: float,
) -> tuple[UInt8Array, Float32Array]:
    """Return a (48, 48) face and its (3,) targets: what is covered.

    1 if it is, 0 if not: both eyes, the mouth, at least one eye.
    ``covered`` and ``distracted`` are the chances that something is drawn over the ``face``; parts
    that are not ``trusted`` to be free are :data:`UNKNOWN` unless something covers them. ``other``
    is another face, whose surfaces may be used.
    """
    canvas = Canvas(draw, face)
    if draw.random() < distracted:
        _choose(draw, DISTRACTORS)(canvas, other)
    if draw.random() < covered:
        _choose(draw, COVERINGS)(canvas, other)
        if draw.random() < 0.08:
            _choose(draw, COVERINGS)(canvas, other)
    shown, (left, right, mouth) = canvas.result()
    hidden = np.array([min(left, right), mouth, max(left, right)], np.float32)
    targets = np.where(hidden >= _COVERED_FROM, 1.0, UNKNOWN)
    targets = np.where((hidden <= _FREE_UP_TO) & trusted, 0.0, targets)
    return degrade(draw, move(draw, shown)), np.asarray(targets, np.float32)


def move(draw: np.random.Generator, face: UInt8Array) -> UInt8Array:
    """Return the face mirrored, turned, scaled and shifted as far as landmarks may be wrong."""
    if draw.random() < 0.5:
        face = np.ascontiguousarray(face[:, ::-1])
    middle = ((CROP_PX - 1) / 2, (CROP_PX - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, draw.normal(0, 5), draw.uniform(0.84, 1.2))
    matrix[:, 2] = matrix[:, 2] + draw.normal(0, 1.5, 2)
    border = int(draw.choice([cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101]))
    size = (CROP_PX, CROP_PX)
    return np.asarray(cv2.warpAffine(face, matrix, size, borderMode=border), np.uint8)


def degrade(draw: np.random.Generator, face: UInt8Array) -> UInt8Array:
    """Return the face in other light, less sharp, noisier or compressed."""
    gamma, contrast = np.exp(draw.normal(0, 0.35)), draw.uniform(0.6, 1.25)
    light: Any = 255 * (face / np.float32(255)) ** np.float32(gamma)
    light = (light - 128) * np.float32(contrast) + np.float32(128 + draw.normal(0, 18))
    if draw.random() < 0.3:
        light = cv2.GaussianBlur(light, (0, 0), draw.uniform(0.3, 1.6))
    elif draw.random() < 0.2:
        side = int(draw.integers(16, 40))
        small = cv2.resize(light, (side, side), interpolation=cv2.INTER_AREA)
        light = cv2.resize(small, (CROP_PX, CROP_PX), interpolation=cv2.INTER_CUBIC)
    if draw.random() < 0.4:
        light = light + draw.standard_normal(light.shape, np.float32) * draw.uniform(1, 12)
    changed = np.asarray(np.clip(np.rint(light), 0, 255), np.uint8)
    if draw.random() < 0.15:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(draw.integers(20, 90))]
        encoded = cv2.imencode(".jpg", changed, quality)[1]
        changed = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return changed


def _choose(draw: np.random.Generator, kinds: Sequence[tuple[Covering, float]]) -> Covering:
    shares = np.array([share for _, share in kinds])
    return kinds[draw.choice(len(kinds), p=shares / shares.sum())][0]
