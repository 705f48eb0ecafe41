"""Several trained models that are asked about the same faces, each network once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.calibration import Calibration
from core.classifiers.architectures import empty_network, load_state
from core.classifiers.model import EmotionModel, load_trained_models
from core.classifiers.network import BATCH
from core.faces.alignment import FaceFrame
from core.types import Float32Array, UInt8Array
from core.weights import WeightsSpec, read_manifest

from ..evaluation.metrics import Probabilities


@dataclass(frozen=True, slots=True)
class StudiedModels:
    """Loaded models whose networks answer the same faces once each."""

    models: Mapping[str, EmotionModel]
    specs: Mapping[str, WeightsSpec]
    """The manifest's entries of all single networks, by name."""

    @property
    def first_network(self) -> WeightsSpec:
        """Return the first network of the model with the most of them."""
        largest = max(self.models.values(), key=lambda model: len(model.members))
        return self.specs[next(iter(largest.members))]

    def training_facts(self, name: str) -> Mapping[str, Any]:
        """Return how the first network of that model was trained."""
        return self.specs[next(iter(self.models[name].members))].training

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.models)

    def logits(self, faces: UInt8Array) -> dict[str, Float32Array]:
        """Return each model's uncalibrated (N, 7) logits of (N, 48, 48) uint8 ``faces``."""
        members = {
            name: member for model in self.models.values() for name, member in model.members.items()
        }
        rows = {name: member.classifier.logits(faces) for name, member in members.items()}
        return {
            name: model.combine({member: rows[member] for member in model.members})
            for name, model in self.models.items()
        }

    def probabilities(self, faces: UInt8Array) -> dict[str, Probabilities]:
        """Return each model's calibrated (N, 7) probabilities."""
        rows = self.logits(faces)
        return {name: self.calibration(name).probabilities(each) for name, each in rows.items()}

    def calibration(self, name: str) -> Calibration:
        """Return what turns that model's logits into probabilities."""
        return self.models[name].calibration

    def weights_sha256(self, name: str) -> dict[str, str]:
        """Return the checksum of each weight file of that model."""
        return dict(self.models[name].weights_sha256)

    @property
    def frame(self) -> FaceFrame:
        """Return how all of them want a face cut out."""
        return next(iter(self.models.values())).frame


def load_models(names: Sequence[str], weights_dir: Path | None = None) -> StudiedModels:
    """Load the models called ``names``; WeightsError when one is missing."""
    models = load_trained_models(names, weights_dir=weights_dir)
    return StudiedModels(models, read_manifest(weights_dir))


@torch.inference_mode()
def embed_faces(spec: WeightsSpec, faces: UInt8Array) -> Float32Array:
    """Return the (N, F) pooled features that the network's last layer answers from."""
    embedding = load_state(empty_network(spec.name), spec.load())
    rows = [
        embedding.embed(torch.from_numpy(spec.preprocessing(faces[start : start + BATCH]))).numpy()
        for start in range(0, len(faces), BATCH)
    ]
    return np.concatenate(rows)
