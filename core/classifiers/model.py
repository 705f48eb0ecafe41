"""Networks that answer together; a single network is an ensemble of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..calibration import Calibration
from ..config import Device, Engine
from ..errors import WeightsCorrupt
from ..faces.alignment import FaceFrame
from ..types import Float32Array, UInt8Array
from . import CLASSIFIERS, Classifier
from .network import NetworkClassifier, load_network
from .spec import require_model


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One network of a model, with the calibration of its own answers."""

    classifier: Classifier
    calibration: Calibration


@dataclass(frozen=True, slots=True, eq=False)
class EmotionModel:
    """Networks with what is needed to read their logits."""

    members: Mapping[str, Member]
    shares: Mapping[str, float]
    """Share of each member in the mean of their probabilities."""
    calibration: Calibration
    """Of the combined logits."""
    frame: FaceFrame = field(default_factory=FaceFrame)
    weights_sha256: Mapping[str, str] = field(default_factory=dict)
    manifest_facts: Mapping[str, object] = field(default_factory=dict)
    """Manifest fields that affect answers, JSON-ready."""

    @classmethod
    def of_one(
        cls,
        name: str,
        classifier: Classifier,
        calibration: Calibration,
        manifest_facts: Mapping[str, object] | None = None,
    ) -> EmotionModel:
        """Return a model of one classifier that has no entry in the manifest."""
        return cls(
            members={name: Member(classifier, calibration)},
            shares={name: 1.0},
            calibration=calibration,
            manifest_facts=manifest_facts or {},
        )

    def logits(self, crops: UInt8Array) -> Float32Array:
        """Return the uncalibrated (N, 7) float32 logits of (N, 48, 48) uint8 grey crops."""
        return self.combine(self.member_logits(crops))

    def member_logits(
        self, crops: UInt8Array, faces_per_call: int | None = None
    ) -> dict[str, Float32Array]:
        """Return the (N, 7) logits of each member, in calls of ``faces_per_call`` faces if given.

        Blank faces fill the last call, so that no bit of an answer depends on its neighbours.
        """
        return {
            name: _logits(member.classifier, crops, faces_per_call)
            for name, member in self.members.items()
        }

    def combine(self, logits: Mapping[str, Float32Array]) -> Float32Array:
        """Combine the members' (N, 7) logits into the model's.

        These are the logarithm of the weighted mean of the members' calibrated probabilities; a
        single member's logits stay as they are.
        """
        if len(self.members) == 1:
            (only,) = logits.values()
            return only
        total = sum(self.shares[name] for name in logits)
        mean = sum(
            self.shares[name] / total * self.members[name].calibration.probabilities(rows)
            for name, rows in logits.items()
        )
        floored = np.maximum(np.asarray(mean), np.finfo(np.float64).tiny)
        return np.asarray(np.log(floored), dtype=np.float32)


def load_model(
    name: str,
    *,
    weights_dir: Path | None = None,
    engine: Engine = Engine.AUTO,
    device: Device = Device.AUTO,
) -> EmotionModel:
    """Load the model registered as ``name``; WeightsError if it is missing or changed.

    A classifier registered from outside has no manifest entry: it is taken as calibrated.
    """
    make = CLASSIFIERS.get(name)
    classifier = make(name, weights_dir=weights_dir, engine=engine, device=device)
    if isinstance(classifier, EmotionModel):
        return classifier
    return EmotionModel.of_one(name, classifier, Calibration())


def load_trained_model(
    name: str,
    *,
    weights_dir: Path | None = None,
    engine: Engine = Engine.AUTO,
    device: Device = Device.AUTO,
) -> EmotionModel:
    """Load the model ``name`` of the manifest; WeightsMissing says what to train first."""
    return load_trained_models([name], weights_dir=weights_dir, engine=engine, device=device)[name]


def load_trained_models(
    names: Sequence[str],
    *,
    weights_dir: Path | None = None,
    engine: Engine = Engine.AUTO,
    device: Device = Device.AUTO,
) -> dict[str, EmotionModel]:
    """Load several models of the manifest, each network once."""
    specs = {name: require_model(name, weights_dir) for name in names}
    networks: dict[str, NetworkClassifier] = {}
    models = {}
    for name, spec in specs.items():
        if len({member.frame for member in spec.members.values()}) > 1:
            raise WeightsCorrupt(
                "The networks were trained for faces framed differently, so no crop fits them all.",
                hint="Train them again with one version of the project, or use a single network.",
            )
        for member in spec.members:
            if member not in networks:
                networks[member] = load_network(
                    member, weights_dir=weights_dir, engine=engine, device=device
                )
        models[name] = EmotionModel(
            members={
                member: Member(networks[member], networks[member].spec.calibration)
                for member in spec.members
            },
            shares=spec.shares,
            calibration=spec.calibration,
            frame=next(iter(spec.members.values())).frame,
            weights_sha256=spec.weights_sha256,
            manifest_facts=spec.manifest_facts,
        )
    return models


def _logits(classifier: Classifier, crops: UInt8Array, faces_per_call: int | None) -> Float32Array:
    if faces_per_call is None:
        return classifier.logits(crops)
    blank = np.zeros((-len(crops) % faces_per_call, *crops.shape[1:]), crops.dtype)
    filled = np.concatenate([crops, blank])
    calls = np.split(filled, len(filled) // faces_per_call)
    return np.concatenate([classifier.logits(call) for call in calls])[: len(crops)]
