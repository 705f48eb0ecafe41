"""Whether an exported network answers as this program does."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..classifiers.model import EmotionModel
from ..errors import ProjectError
from ..faces.alignment import CROP_PX
from ..labels import Reading
from ..types import UInt8Array
from .formats import Run
from .graph import ModelGraph, resize_faces

FACES = 200
LIMIT = 1e-3
"""Largest difference of a probability that is accepted."""
_LIMIT_RESIZED = 1e-2
"""The same where the file resizes the faces itself. Rounded to whole grey values, one pixel in
millions then differs by one from OpenCV's, which changes a probability by up to .002."""
_FACE_YX, _FACE_PX = (slice(20, 200), slice(130, 310)), 180
"""Where the face of the sample photo is."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Largest differences of a probability between an exported file and this program."""

    faces: int
    largest_difference: float
    """Where both see the same pixels."""
    with_resizing: float
    """From 48x48 faces on, as a user meets it; see :data:`_LIMIT_RESIZED`."""


def make_faces(count: int = FACES) -> UInt8Array:
    """Return (count, 48, 48) uint8 faces: one portrait, turned, lit and disturbed at random."""
    from skimage.data import astronaut

    portrait = np.ascontiguousarray(astronaut()[_FACE_YX])  # type: ignore[no-untyped-call]
    grey = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)
    random = np.random.default_rng(0)
    middle = _FACE_PX / 2
    faces = np.empty((count, CROP_PX, CROP_PX), np.uint8)
    for index in range(count):
        zoom, degrees = random.uniform(0.7, 1.3), random.uniform(-25, 25)
        matrix = cv2.getRotationMatrix2D((middle, middle), degrees, zoom * CROP_PX / _FACE_PX)
        matrix[:, 2] = matrix[:, 2] + CROP_PX / 2 - middle
        face = cv2.warpAffine(grey, matrix, (CROP_PX, CROP_PX), borderMode=cv2.BORDER_REPLICATE)
        noise = random.normal(0, random.uniform(0, 15), face.shape)
        lit = face * random.uniform(0.4, 1.5) + random.uniform(-30, 30) + noise
        faces[index] = np.clip(np.rint(lit), 0, 255)
    return faces


def compare_readings(run: Run, graph: ModelGraph, model: EmotionModel, faces: UInt8Array) -> Parity:
    """Compare the readings of ``run``, an exported ``graph``, with those of ``model``.

    ``faces`` are (N, 48, 48) uint8, at least one. ProjectError if they differ too much.
    """
    found = np.stack(run(faces[:, None]), axis=1)
    resized = resize_faces(graph, faces)
    logits = {name: model.members[name].classifier.logits(resized[name]) for name in resized}
    same_pixels = _read(model, model.combine(logits))
    parity = Parity(
        len(faces),
        float(np.abs(found - same_pixels).max()),
        float(np.abs(found - _read(model, model.logits(faces))).max()),
    )
    # Not ">": nothing is greater than a NaN, which must not pass.
    if not (parity.largest_difference <= LIMIT and parity.with_resizing <= _LIMIT_RESIZED):
        raise ProjectError(
            f"The exported network answers differently: by up to {parity.largest_difference:.1e} "
            f"in a probability, {parity.with_resizing:.1e} with its own resizing; accepted are "
            f"{LIMIT:g} and {_LIMIT_RESIZED:g}.",
            hint="Nothing was written. Check the installation with `emotion doctor`.",
        )
    return parity


def _read(model: EmotionModel, logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (N, readings, 7) probabilities."""
    return np.stack([model.calibrations[each].probabilities(logits) for each in Reading], axis=1)
