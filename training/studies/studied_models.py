"""Several trained models that are asked about the same faces, each network once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.calibration import Calibration
from core.classifiers import ENSEMBLE
from core.classifiers.architectures import empty_network, load_state
from core.classifiers.ensemble import EnsembleClassifier, load_ensemble
from core.classifiers.network import BATCH, NetworkClassifier, load_network
from core.config import Engine
from core.faces.alignment import FaceFrame
from core.types import Float32Array, UInt8Array

from ..evaluation.metrics import Probabilities


@dataclass(frozen=True, slots=True)
class StudiedModels:
    """The models called ``names``, loaded."""

    names: tuple[str, ...]
    networks: Mapping[str, NetworkClassifier]
    """All single networks among them, and the members of the ensemble if that is one."""
    ensemble: EnsembleClassifier | None

    def logits(self, faces: UInt8Array) -> dict[str, Float32Array]:
        """(N, 7) uncalibrated logits of each model for (N, 48, 48) uint8 ``faces``."""
        rows = {name: network.logits(faces) for name, network in self.networks.items()}
        if self.ensemble is not None:
            members = {name: rows[name] for name in self.ensemble.members}
            rows[ENSEMBLE] = self.ensemble.combined(members)
        return {name: rows[name] for name in self.names}

    def probabilities(self, faces: UInt8Array) -> dict[str, Probabilities]:
        """(N, 7) calibrated probabilities of each model."""
        rows = self.logits(faces)
        return {name: self.calibration(name).probabilities(each) for name, each in rows.items()}

    def calibration(self, name: str) -> Calibration:
        """What makes probabilities of that model's logits."""
        if name == ENSEMBLE and self.ensemble is not None:
            return self.ensemble.calibration
        return self.networks[name].spec.calibration

    def weights_sha256(self, name: str) -> dict[str, str]:
        """The checksum of every weight file that speaks in that model."""
        members = self.ensemble.members if name == ENSEMBLE and self.ensemble else (name,)
        return {each: self.networks[each].spec.sha256 for each in members}

    @property
    def frame(self) -> FaceFrame:
        """How all of them want a face cut out."""
        return next(iter(self.networks.values())).spec.frame


def load_models(names: Sequence[str], weights_dir: Path | None = None) -> StudiedModels:
    """The models called ``names``; WeightsError when one is missing."""
    ensemble = None
    if ENSEMBLE in names:
        ensemble = load_ensemble(ENSEMBLE, weights_dir=weights_dir)
    networks = dict(ensemble.members) if ensemble else {}
    for name in names:
        if name != ENSEMBLE and name not in networks:
            networks[name] = load_network(name, weights_dir=weights_dir, engine=Engine.AUTO)
    return StudiedModels(tuple(names), networks, ensemble)


@torch.inference_mode()
def embed_faces(network: NetworkClassifier, faces: UInt8Array) -> Float32Array:
    """(N, F) pooled features that the network's last layer answers from."""
    spec = network.spec
    embedding = load_state(empty_network(spec.name), spec.load())
    rows = [
        embedding.embed(torch.from_numpy(spec.preprocessing(faces[start : start + BATCH]))).numpy()
        for start in range(0, len(faces), BATCH)
    ]
    return np.concatenate(rows)
