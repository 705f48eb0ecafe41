"""Our own detector: one small network that sees the whole image once."""

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
from ..faces.reduce import shrink_to_fit
from ..runtime import Network, NetworkRunner, runner_for
from ..runtime.assembly import assemble_network
from ..types import Box, Face, Float32Array, RgbImage, UInt8Array
from ..weights import StoredWeights, read_detector

if TYPE_CHECKING:
    from torch import nn

NAME = "compact"
STRIDES = (8, 16, 32, 64)
"""Sides of the cells in pixels; each cell predicts one face."""
PAD_TO = STRIDES[-1]
"""Height and width of the network's input must be multiples of this."""
DEFAULT_THRESHOLD = 0.5
"""For weights without a tuned threshold."""
_FORMAT = "1"
"""Increase whenever the architecture computes something else from the same weights."""
_SAME_FACE = 0.45
"""Intersection over union above which the lower scored of two boxes is dropped."""
_WITHIN_FACE = 0.8
"""Covered share of the smaller of two boxes above which the lower scored is dropped."""
_MOST = 2000
"""Most candidates for non-maximum suppression, the best; no photo shows as many faces."""
_ROOMIER = 1.3
"""How much an image may be padded to reach a size with a network compiled for it, which takes a
quarter less time."""
_PADDING = 114
"""Grey value beyond the image, as in training."""
_LARGEST_PX = 8192
"""Longest side of the network's input, which bounds its memory."""


class CompactDetector:
    """Finds faces without landmarks; threads may share it."""

    def __init__(
        self, runner: NetworkRunner, settings: PresetSettings, threshold: float | None = None
    ) -> None:
        self._runner = runner
        self._sizes_hw = common_input_sizes(settings.working_px)
        self._working_px = min(settings.working_px, _LARGEST_PX)
        self._min_face_px = settings.min_face_px
        self._threshold = DEFAULT_THRESHOLD if threshold is None else threshold

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """Return all faces scored at or above the threshold, best first."""
        return self.detect_many([image])[0]

    def detect_many(self, images: Sequence[RgbImage]) -> list[tuple[Face, ...]]:
        """Return what :meth:`detect` returns for each; images of one size share a call."""
        pictures = [shrink_to_fit(image.pixels, self._working_px) for image in images]
        inputs = [pad_image(pixels, self._sizes_hw) for pixels in pictures]
        faces: list[tuple[Face, ...]] = [()] * len(images)
        for shape in dict.fromkeys(each.shape for each in inputs):
            rows = [index for index, each in enumerate(inputs) if each.shape == shape]
            batch = cv2.dnn.blobFromImages([inputs[index] for index in rows])
            answers = self._runner.run(np.asarray(batch, dtype=np.float32))
            for row, index in enumerate(rows):
                faces[index] = self._decode(answers[row], images[index], pictures[index])
        return faces

    def _decode(self, cells: Float32Array, image: RgbImage, pixels: UInt8Array) -> tuple[Face, ...]:
        """Return the faces in (cells, 5) outputs, each once."""
        if not np.isfinite(cells).all():
            raise InferenceError(
                "The face detector gave a value that is not a number.",
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


def common_input_sizes(working_px: int) -> tuple[tuple[int, int], ...]:
    """Return the (height, width) that fit most photos: 4:3, 3:4 and square.

    The network is compiled for each of them, and once for any other size.
    """
    longer = _round_up(min(working_px, _LARGEST_PX))
    shorter = _round_up(longer * 3 // 4)
    return (shorter, longer), (longer, shorter), (longer, longer)


def pad_image(pixels: UInt8Array, sizes_hw: Sequence[tuple[int, int]] = ()) -> UInt8Array:
    """Pad (H, W, 3) pixels on the right and below to a size that the network takes.

    That is the smallest of ``sizes_hw`` that is large enough, or multiples of 64 px if there is
    none or it would be much larger.
    """
    height, width = pixels.shape[:2]
    least = _round_up(height), _round_up(width)
    roomy = [size for size in sizes_hw if size[0] >= least[0] and size[1] >= least[1]]
    fits = min(roomy, key=math.prod, default=least)
    size = fits if math.prod(fits) <= _ROOMIER * math.prod(least) else least
    grey = (_PADDING, _PADDING, _PADDING)
    filled = cv2.copyMakeBorder(
        pixels, 0, size[0] - height, 0, size[1] - width, cv2.BORDER_CONSTANT, value=grey
    )
    return np.asarray(filled, dtype=np.uint8)


def _round_up(pixels: int) -> int:
    return math.ceil(pixels / PAD_TO) * PAD_TO


def load_compact(
    *,
    settings: PresetSettings,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,
) -> CompactDetector:
    """Load our detector for a preset; WeightsError if its weights are absent or changed."""
    stored = read_detector(NAME, weights_dir)
    runner = load_compact_runner(stored, settings.working_px, device)
    return CompactDetector(runner, settings, threshold)


def load_compact_runner(stored: StoredWeights, working_px: int, device: Device) -> NetworkRunner:
    """Load the network with the ``stored`` weights; WeightsError if they were changed."""
    network = compact_network(stored)
    shapes = tuple((1, 3, *size_hw) for size_hw in common_input_sizes(working_px))
    return runner_for(replace(network, usual_shapes=shapes), engine=Engine.AUTO, device=device)


def compact_network(stored: StoredWeights) -> Network:
    """Return what a runner needs to run the network with the ``stored`` weights.

    The file is verified here, even if a compiled copy is cached.
    """
    stored.read_verified()

    def build() -> nn.Module:
        from ..classifiers.architectures import load_state
        from .compact_network import CompactNetwork

        return load_state(CompactNetwork(), stored.load())

    return Network(
        assemble=lambda: assemble_network(NAME, stored.load_arrays()),
        build=build,
        input_shape=(-1, 3, -1, -1),
        fingerprint=f"{NAME} {_FORMAT} {stored.sha256}",
    )
