"""Several networks answering together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..calibration import Calibration
from ..config import Device, Engine
from ..errors import WeightsCorrupt, WeightsMissing
from ..types import Float32Array, UInt8Array
from ..weights import read_ensemble, read_manifest
from . import ARCHITECTURES
from .network import NetworkClassifier, load_network


class EnsembleClassifier:
    """The weighted mean of its members' calibrated probabilities, calibrated again as a whole."""

    def __init__(
        self,
        members: Mapping[str, NetworkClassifier],
        weights: Mapping[str, float],
        calibration: Calibration,
    ) -> None:
        self.members = dict(members)
        self.calibration = calibration
        self.weights = weights

    def logits(self, crops: UInt8Array) -> Float32Array:
        """(N, 48, 48) uint8 grey crops to (N, 7) float32 logits of the mean, uncalibrated."""
        return self.combined({name: each.logits(crops) for name, each in self.members.items()})

    def combined(self, logits: Mapping[str, Float32Array]) -> Float32Array:
        """The members' logits, each (N, 7), as the ensemble's (N, 7)."""
        total = sum(self.weights[name] for name in logits)
        mean = sum(
            self.weights[name] / total * self.members[name].spec.calibration.probabilities(rows)
            for name, rows in logits.items()
        )
        floored = np.maximum(np.asarray(mean), np.finfo(np.float64).tiny)
        return np.asarray(np.log(floored), dtype=np.float32)


def load_ensemble(
    _name: str,
    *,
    weights_dir: Path | None = None,
    engine: Engine = Engine.AUTO,
    device: Device = Device.AUTO,
) -> EnsembleClassifier:
    """The ensemble described in the manifest; WeightsMissing names the members still to train."""
    trained = read_manifest(weights_dir)
    missing = [member for member in ARCHITECTURES if member not in trained]
    if missing:
        raise WeightsMissing(
            f"The ensemble needs all three networks; not trained yet: {', '.join(missing)}.",
            hint=f"Train with `emotion train --model {missing[0]} --data DIR_OR_ZIP`, "
            f"or use {' or '.join(trained) or 'another model'}.",
        )
    described = read_ensemble(weights_dir)
    if described is None:
        raise WeightsMissing(
            "The ensemble is not calibrated yet.",
            hint="Run `emotion calibrate --model ensemble --data DIR_OR_ZIP`.",
        )
    members = {
        member: load_network(member, weights_dir=weights_dir, engine=engine, device=device)
        for member in described.weights
    }
    if len({each.spec.frame for each in members.values()}) > 1:
        raise WeightsCorrupt(
            "The networks were trained for faces framed differently, so no crop fits them all.",
            hint="Train them again with one version of the project, or use a single network.",
        )
    return EnsembleClassifier(members, described.weights, described.calibration)
