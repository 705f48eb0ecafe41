"""Our own detector: one small network that sees the whole picture once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..config import Device, Engine, PresetSettings
from ..errors import InferenceError
from ..faces.boxes import drop_nested, nms
from ..faces.reduce import reduced_to
from ..runtime import Network, NetworkRunner, runner_for
from ..types import Box, Face, Float32Array, RgbImage, UInt8Array
from ..weights import StoredWeights, detector_of

if TYPE_CHECKING:
    from torch import nn

NAME = "compact"
STRIDES = (8, 16, 32, 64)
"""Cells of so many pixels predict one face each."""
PAD_TO = STRIDES[-1]
"""Height and width of the network's input must be multiples of this."""
DEFAULT_THRESHOLD = 0.5
"""Of weights that nobody has tuned."""
_FORMAT = "1"
"""Counted up whenever the architecture makes something else of the same weights."""
_SAME_FACE = 0.45
"""Intersection over union from which the lower scored of two boxes goes."""
_WITHIN_FACE = 0.8
"""Share of the smaller of two boxes that the other covers, from which the lower scored goes."""
_MOST = 2000
"""Candidates that are compared with each other, the best first; no photo shows as many faces."""
_ROOMIER = 1.3
"""How much larger than need be a picture may become, to be of a size with a compiled copy of its
own: that copy takes a quarter less time."""
_PADDING = 114
"""Grey beyond the picture, as in training."""
_LARGEST_PX = 8192
"""Longest side of the network's input, which bounds its memory."""


class CompactDetector:
    """Faces without landmarks. Holds no state between calls, so threads may share it."""

    def __init__(
        self, runner: NetworkRunner, *, working_px: int, min_face_px: int, threshold: float
    ) -> None:
        self._runner = runner
        self._sizes_hw = usual_sizes_hw(working_px)
        self._working_px = min(working_px, _LARGEST_PX)
        self._min_face_px = min_face_px
        self._threshold = threshold

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """All faces scored at or above the threshold, best first."""
        return self.detect_many([image])[0]

    def detect_many(self, images: Sequence[RgbImage]) -> list[tuple[Face, ...]]:
        """As :meth:`detect`, for pictures of one size together and the others after them."""
        pictures = [reduced_to(image.pixels, self._working_px) for image in images]
        inputs = [padded(pixels, self._sizes_hw) for pixels in pictures]
        faces: list[tuple[Face, ...]] = [()] * len(images)
        for shape in dict.fromkeys(each.shape for each in inputs):
            rows = [index for index, each in enumerate(inputs) if each.shape == shape]
            batch = cv2.dnn.blobFromImages([inputs[index] for index in rows])
            answers = self._runner.run(np.asarray(batch, dtype=np.float32))
            for row, index in enumerate(rows):
                faces[index] = self._faces(answers[row], images[index], pictures[index])
        return faces

    def _faces(self, cells: Float32Array, image: RgbImage, pixels: UInt8Array) -> tuple[Face, ...]:
        """From (cells, 5) answers: the boxes that count, each face once."""
        if not np.isfinite(cells).all():
            raise InferenceError(
                "The face detector gave a value that is no number.",
                hint="Check the installation with `emotion doctor`, or use --detector mtcnn.",
            )
        scores = 1 / (1 + np.exp(-cells[:, 0].astype(np.float64)))
        boxes = cells[:, 1:]
        sides = (boxes[:, 2:] - boxes[:, :2]).min(axis=1)
        chosen = np.flatnonzero((scores >= self._threshold) & (sides >= self._min_face_px))
        chosen = chosen[np.argsort(-scores[chosen], kind="stable")][:_MOST]
        back = np.array([image.width / pixels.shape[1], image.height / pixels.shape[0]])
        found = boxes[chosen].astype(np.float64) * np.tile(back, 2)
        kept = drop_nested(found, nms(found, scores[chosen], _SAME_FACE), _WITHIN_FACE)
        return tuple(
            Face(Box(*(float(edge) for edge in found[index])), float(scores[chosen[index]]))
            for index in kept
        )


def usual_sizes_hw(working_px: int) -> tuple[tuple[int, int], ...]:
    """Height and width of the inputs that most photos can be given: 4 : 3, upright, square.

    The network is compiled for each of them, and for any other size besides.
    """
    longer = _up(min(working_px, _LARGEST_PX))
    shorter = _up(longer * 3 // 4)
    return (shorter, longer), (longer, shorter), (longer, longer)


def padded(pixels: UInt8Array, sizes_hw: Sequence[tuple[int, int]] = ()) -> UInt8Array:
    """(H, W, 3) pixels with grey to the right and below, up to a size that the network takes.

    That is the least of ``sizes_hw`` that is large enough, or multiples of 64 px where none is
    or it would be much larger.
    """
    height, width = pixels.shape[:2]
    least = _up(height), _up(width)
    roomy = [size for size in sizes_hw if size[0] >= least[0] and size[1] >= least[1]]
    fits = min(roomy, key=math.prod, default=least)
    size = fits if math.prod(fits) <= _ROOMIER * math.prod(least) else least
    grey = (_PADDING, _PADDING, _PADDING)
    filled = cv2.copyMakeBorder(
        pixels, 0, size[0] - height, 0, size[1] - width, cv2.BORDER_CONSTANT, value=grey
    )
    return np.asarray(filled, dtype=np.uint8)


def _up(pixels: int) -> int:
    return math.ceil(pixels / PAD_TO) * PAD_TO


def load_compact(
    *,
    settings: PresetSettings,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,
    engine: Engine = Engine.AUTO,
) -> CompactDetector:
    """Our detector for a preset; WeightsError when its weights are absent or changed."""
    return CompactDetector(
        compact_runner(weights_dir, settings.working_px, engine=engine, device=device),
        working_px=settings.working_px,
        min_face_px=settings.min_face_px,
        threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
    )


def compact_runner(
    weights_dir: Path | None, working_px: int, *, engine: Engine, device: Device
) -> NetworkRunner:
    """Runs the network; WeightsError when its weights are absent or changed."""
    network = compact_network(detector_of(NAME, weights_dir))
    shapes = tuple((1, 3, *size_hw) for size_hw in usual_sizes_hw(working_px))
    return runner_for(replace(network, usual_shapes=shapes), engine=engine, device=device)


def compact_network(stored: StoredWeights) -> Network:
    """What a runner needs of the network with the ``stored`` weights.

    The file is checked here, also where a compiled copy of it is at hand.
    """
    stored.read_verified()

    def build() -> nn.Module:
        from ..classifiers.architectures import load_state
        from .compact_network import CompactNetwork

        return load_state(CompactNetwork(), stored.load())

    return Network(build, (-1, 3, -1, -1), f"{NAME} {_FORMAT} {stored.sha256}")
