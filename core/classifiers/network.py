"""One trained network as a classifier."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..calibration import require_finite, softmax
from ..config import Device, Engine
from ..labels import EMOTIONS
from ..runtime import Network, NetworkRunner, runner_for
from ..runtime.assembly import assemble_network
from ..types import Float32Array, UInt8Array
from ..weights import WeightsSpec

if TYPE_CHECKING:
    from torch import nn

BATCH = 64
"""Faces per call: more do not help a CPU, and memory stays bounded."""


class NetworkClassifier:
    """Computes the logits of one network, averaged over the face and its mirror image."""

    def __init__(self, spec: WeightsSpec, runner: NetworkRunner) -> None:
        self.spec = spec
        self._runner = runner

    def logits(self, crops: UInt8Array) -> Float32Array:
        """Return the uncalibrated float32 logits of (N, 48, 48) uint8 grey crops.

        They are (N, 7), or (N, 2, 7) with a crowd head: the logarithm of the mean softmax of both
        views, a choice made before anything was measured. InferenceError if the network gives a
        value that is not a number.
        """
        rows = [
            average_views(*self.run_views(crops[start : start + BATCH]))
            for start in range(0, len(crops), BATCH)
        ]
        if not rows:
            return np.zeros((0, len(EMOTIONS)), dtype=np.float32)
        return np.concatenate(rows)

    def run_views(self, crops: UInt8Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the softmax of at most :data:`BATCH` faces and that of their mirror images.

        Shapes and errors are those of :meth:`logits`.
        """
        inputs = self.spec.preprocessing(crops)
        mirrored = np.ascontiguousarray(inputs[..., ::-1])
        both = softmax(require_finite(self._runner.run(np.concatenate([inputs, mirrored]))))
        return both[: len(crops)], both[len(crops) :]


def average_views(*views: NDArray[np.float64]) -> Float32Array:
    """Return the logarithm of the mean of probabilities, one array for each view of the faces."""
    # The smallest float64 keeps the logarithm finite if a probability underflows.
    floored = np.maximum(sum(views) / len(views), np.finfo(np.float64).tiny)
    return np.asarray(np.log(floored), dtype=np.float32)


def load_network(
    spec: WeightsSpec, *, engine: Engine = Engine.AUTO, device: Device = Device.AUTO
) -> NetworkClassifier:
    """Load the network that ``spec`` describes; WeightsError if its file is absent or changed."""
    # Verified even if a compiled copy is cached, so that answers come from the manifest's weights.
    spec.read_verified()
    return NetworkClassifier(spec, runner_for(network_of(spec), engine=engine, device=device))


def network_of(spec: WeightsSpec) -> Network:
    """Return the network that ``spec`` describes; an engine builds it when needed."""
    side = spec.preprocessing.input_px
    return Network(
        assemble=partial(_assemble, spec),
        build=partial(_build, spec),
        input_shape=(-1, 3, side, side),
        fingerprint=f"{spec.name} {spec.sha256}, all heads",
    )


def graph_name(architecture: str, *, crowd: bool) -> str:
    """Return the name of the stored graph of an architecture with or without a crowd head."""
    return architecture if crowd else f"{architecture}-labels"


def _assemble(spec: WeightsSpec) -> Any:
    weights = spec.load_arrays()
    return assemble_network(graph_name(spec.name, crowd="crowd.weight" in weights), weights)


def _build(spec: WeightsSpec) -> nn.Module:
    from .architectures import build_network

    return build_network(spec.name, spec.load())
