"""The check for covered eyes and mouths: a small network of our own that sees the aligned face."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..calibration import require_finite
from ..config import Device, Engine
from ..runtime import Network, NetworkRunner, runner_for
from ..runtime.assembly import assemble_network
from ..types import FacePart, UInt8Array
from ..weights import CheckWeights, read_check
from .alignment import CROP_PX

if TYPE_CHECKING:
    from torch import nn

NAME = "covered"
PARTS = tuple(FacePart)
"""In the order of the network's outputs."""
_FORMAT = "1"
"""Increase whenever the architecture computes something else from the same weights."""
_INPUT_SHAPE = (2, 1, CROP_PX, CROP_PX)
"""A face and its mirror image."""


class CoverCheck:
    """Finds the covered parts of a face; threads may share it."""

    def __init__(self, stored: CheckWeights, runner: NetworkRunner) -> None:
        self.stored = stored
        self._runner = runner

    def find_covered(self, crop: UInt8Array) -> tuple[FacePart, ...]:
        """Return the covered parts of a (48, 48) uint8 grey face in FER-2013's frame."""
        scores = self.score(crop)
        found = [part for part in PARTS if scores[part] >= self.stored.thresholds[part]]
        if FacePart.EYES in found:
            found = [part for part in found if part is not FacePart.ONE_EYE]
        return tuple(found)

    def score(self, crop: UInt8Array) -> Mapping[FacePart, float]:
        """Return how surely each part of a (48, 48) uint8 grey face is covered, 0..1.

        The mean over face and mirror image. One face a call, so that no bit depends on the others
        in the photo. InferenceError if the network gives a value that is not a number.
        """
        both = np.stack([crop, crop[:, ::-1]])[:, None].astype(np.float32)
        logits = require_finite(self._runner.run(both)).astype(np.float64).mean(axis=0)
        return dict(zip(PARTS, (1 / (1 + np.exp(-logits))).tolist(), strict=True))


def load_cover_check(
    weights_dir: Path | None = None,
    *,
    engine: Engine = Engine.AUTO,
    device: Device = Device.AUTO,
) -> CoverCheck:
    """Load the check; WeightsError if its weights are absent or changed.

    A folder with emotion networks need not hold the check: then it is the shipped one.
    """
    stored = read_check(NAME, weights_dir)
    return CoverCheck(stored, runner_for(cover_network(stored), engine=engine, device=device))


def cover_network(stored: CheckWeights) -> Network:
    """Return what a runner needs to run the network with the ``stored`` weights.

    The file is verified here, even if a compiled copy is cached.
    """
    stored.read_verified()

    def build() -> nn.Module:
        from ..classifiers.architectures import load_state
        from .covered_network import CoveredNetwork

        return load_state(CoveredNetwork(), stored.load())

    return Network(
        assemble=lambda: assemble_network(NAME, stored.load_arrays()),
        build=build,
        input_shape=_INPUT_SHAPE,
        fingerprint=f"{NAME} {_FORMAT} {stored.sha256}",
    )
