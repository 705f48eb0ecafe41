"""One trained network as a classifier."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..calibration import finite, softmax
from ..config import Device, Engine
from ..labels import EMOTIONS
from ..runtime import NetworkRunner, make_runner
from ..types import Float32Array, UInt8Array
from ..weights import WeightsSpec, spec_of

BATCH = 64
"""Faces a call: beyond it a CPU gains nothing, and memory stays bounded."""


class NetworkClassifier:
    """Logits of one network, averaged over the face and its mirror image."""

    def __init__(self, spec: WeightsSpec, runner: NetworkRunner) -> None:
        self.spec = spec
        self._runner = runner

    def logits(self, crops: UInt8Array) -> Float32Array:
        """(N, 48, 48) uint8 grey crops to (N, 7) float32 logits, uncalibrated.

        They are the logarithm of the mean softmax of both views, a choice that was fixed
        before anything was measured. InferenceError when the network gives no number.
        """
        rows = [self._batch(crops[start : start + BATCH]) for start in range(0, len(crops), BATCH)]
        if not rows:
            return np.zeros((0, len(EMOTIONS)), dtype=np.float32)
        return np.concatenate(rows)

    def _batch(self, crops: UInt8Array) -> Float32Array:
        inputs = self.spec.preprocessing(crops)
        mirrored = np.ascontiguousarray(inputs[..., ::-1])
        both = softmax(finite(self._runner.run(np.concatenate([inputs, mirrored]))))
        mean = (both[: len(crops)] + both[len(crops) :]) / 2
        # The smallest float64 keeps the logarithm finite where a probability underflows.
        floored = np.maximum(mean, np.finfo(np.float64).tiny)
        return np.asarray(np.log(floored), dtype=np.float32)


def load_network(
    name: str,
    *,
    weights_dir: Path | None = None,
    engine: Engine = Engine.AUTO,
    device: Device = Device.AUTO,
) -> NetworkClassifier:
    """The trained network called ``name``; WeightsError when it is absent or changed."""
    # Brings torch, which who only asks what kind of classifier there is shall not wait for.
    from .architectures import empty_network, load_state

    spec = spec_of(name, weights_dir)
    network = load_state(empty_network(name), spec.load())
    runner = make_runner(
        network, input_px=spec.preprocessing.input_px, engine=engine, device=device
    )
    return NetworkClassifier(spec, runner)
