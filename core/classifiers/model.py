"""Networks that answer together; a single network is an ensemble of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..calibration import CROWD_HEAD, Calibration, softmax
from ..config import AnalyzerConfig, Device, Engine
from ..errors import WeightsCorrupt
from ..faces.alignment import FaceFrame
from ..labels import Reading
from ..types import Float32Array, UInt8Array
from ..weights import read_models, require_model
from . import CLASSIFIERS, Classifier
from .network import load_network


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One network of a model, with the calibrations of its own answers."""

    classifier: Classifier
    calibrations: Mapping[Reading, Calibration]


@dataclass(frozen=True, slots=True, eq=False)
class EmotionModel:
    """Networks with what is needed to read their logits."""

    members: Mapping[str, Member]
    shares: Mapping[str, float]
    """Share of each member in the mean of their probabilities."""
    calibrations: Mapping[Reading, Calibration]
    """Of the combined logits, for each reading."""
    frame: FaceFrame = field(default_factory=FaceFrame)
    weights_sha256: Mapping[str, str] = field(default_factory=dict)
    manifest_facts: Mapping[str, object] = field(default_factory=dict)
    """Manifest fields that affect answers, JSON-ready."""

    @classmethod
    def from_single_classifier(
        cls,
        name: str,
        classifier: Classifier,
        calibration: Calibration,
        manifest_facts: Mapping[str, object] | None = None,
    ) -> EmotionModel:
        """Return a model of one classifier that has no entry in the manifest.

        If it has a crowd head, that alone says what people would see.
        """
        calibrations = {
            Reading.PEOPLE: replace(calibration, crowd_share=1.0),
            Reading.FER2013: calibration,
        }
        return cls(
            members={name: Member(classifier, calibrations)},
            shares={name: 1.0},
            calibrations=calibrations,
            manifest_facts=manifest_facts or {},
        )

    def logits(self, crops: UInt8Array) -> Float32Array:
        """Return the uncalibrated logits of (N, 48, 48) uint8 grey crops, as a classifier does."""
        return self.combine(self.member_logits(crops))

    def member_logits(
        self, crops: UInt8Array, faces_per_call: int | None = None
    ) -> dict[str, Float32Array]:
        """Return the logits of each member, in calls of ``faces_per_call`` faces if given.

        Blank faces fill the last call, so that no bit of an answer depends on its neighbours.
        """
        return {
            name: _run_in_calls(member.classifier, crops, faces_per_call)
            for name, member in self.members.items()
        }

    def combine(self, logits: Mapping[str, Float32Array]) -> Float32Array:
        """Combine the members' logits into the model's, each head by itself.

        These are the logarithm of the weighted mean of the members' probabilities, those of the
        label heads calibrated. A single member's logits stay as they are; if a member has no crowd
        head, neither has the model.
        """
        if len(self.members) == 1:
            (only,) = logits.values()
            return only
        labels = self._average(
            {
                name: self.members[name].calibrations[Reading.FER2013].probabilities(rows)
                for name, rows in logits.items()
            }
        )
        if any(rows.ndim == 2 for rows in logits.values()):
            return labels
        crowd = self._average({name: softmax(rows[:, CROWD_HEAD]) for name, rows in logits.items()})
        return np.stack([labels, crowd], axis=1)

    def _average(self, probabilities: Mapping[str, NDArray[np.float64]]) -> Float32Array:
        """Return the logarithm of the members' weighted mean, (N, 7)."""
        total = sum(self.shares[name] for name in probabilities)
        mean = sum(self.shares[name] / total * rows for name, rows in probabilities.items())
        floored = np.maximum(np.asarray(mean), np.finfo(np.float64).tiny)
        return np.asarray(np.log(floored), dtype=np.float32)


def load_model(config: AnalyzerConfig) -> EmotionModel:
    """Load the model that ``config`` names; WeightsError if it is missing or changed.

    A classifier registered from outside has no manifest entry: it is taken as calibrated.
    """
    classifier = CLASSIFIERS.get(config.model)(
        config.model, weights_dir=config.weights_dir, engine=config.engine, device=config.device
    )
    if isinstance(classifier, EmotionModel):
        return classifier
    return EmotionModel.from_single_classifier(config.model, classifier, Calibration())


def load_trained_model(
    name: str, *, weights_dir: Path | None, engine: Engine, device: Device
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
    trained = read_models(weights_dir)
    members: dict[str, Member] = {}
    models = {}
    for name in names:
        spec = require_model(name, trained)
        if len({each.frame for each in spec.members.values()}) > 1:
            raise WeightsCorrupt(
                "The networks were trained for faces framed differently, so no crop fits them all.",
                hint="Train them again with one version of the project, or use a single network.",
            )
        for member, network in spec.members.items():
            if member not in members:
                classifier = load_network(network, engine=engine, device=device)
                members[member] = Member(classifier, network.calibrations)
        models[name] = EmotionModel(
            members={member: members[member] for member in spec.members},
            shares=spec.shares,
            calibrations=spec.calibrations,
            frame=next(iter(spec.members.values())).frame,
            weights_sha256=spec.weights_sha256,
            manifest_facts=spec.manifest_facts,
        )
    return models


def _run_in_calls(
    classifier: Classifier, crops: UInt8Array, faces_per_call: int | None
) -> Float32Array:
    if faces_per_call is None:
        return classifier.logits(crops)
    blank = np.zeros((-len(crops) % faces_per_call, *crops.shape[1:]), crops.dtype)
    filled = np.concatenate([crops, blank])
    calls = np.split(filled, len(filled) // faces_per_call)
    return np.concatenate([classifier.logits(call) for call in calls])[: len(crops)]
