"""Models as the manifest describes them; a single network is an ensemble of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..calibration import Calibration
from ..errors import WeightsMissing
from ..weights import WeightsSpec, read_ensemble, read_manifest, read_spec
from . import ARCHITECTURES, BUILT_IN, ENSEMBLE, member_names


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that can answer: its networks, how much each counts, and its calibration."""

    name: str
    members: Mapping[str, WeightsSpec]
    shares: Mapping[str, float]
    """Share of each member in the mean of their probabilities."""
    calibration: Calibration
    metrics: Mapping[str, Any]
    speed: Mapping[str, Any]

    @property
    def weights_sha256(self) -> dict[str, str]:
        """Checksum of each member's weights."""
        return {name: spec.sha256 for name, spec in self.members.items()}

    @property
    def manifest_facts(self) -> dict[str, object]:
        """Manifest fields that affect answers, JSON-ready."""
        facts: dict[str, dict[str, object]] = {
            name: {
                "preprocessing": asdict(spec.preprocessing),
                "frame": asdict(spec.frame),
                "calibration": asdict(spec.calibration),
            }
            for name, spec in self.members.items()
        }
        if len(facts) == 1:
            return facts[self.name]
        return {
            "shares": dict(self.shares),
            "calibration": asdict(self.calibration),
            "members": facts,
        }


def read_models(directory: Path | None = None) -> dict[str, ModelSpec]:
    """Return every model that can answer, by name: single networks first.

    ``directory`` None is the shipped ``weights/``. WeightsError if the manifest is unusable.
    """
    networks = read_manifest(directory)
    models = {
        name: ModelSpec(name, {name: spec}, {name: 1.0}, spec.calibration, spec.metrics, spec.speed)
        for name, spec in networks.items()
    }
    ensemble = read_ensemble(directory)
    if ensemble is not None and networks.keys() >= set(ARCHITECTURES):
        models[ENSEMBLE] = ModelSpec(
            name=ENSEMBLE,
            members={name: networks[name] for name in ensemble.weights},
            shares=ensemble.weights,
            calibration=ensemble.calibration,
            metrics=ensemble.metrics,
            speed=ensemble.speed,
        )
    return models


def require_model(name: str, directory: Path | None = None) -> ModelSpec:
    """Return the model ``name``; WeightsMissing says what to train or calibrate first."""
    models = read_models(directory)
    if name in models:
        return models[name]
    if member_names(name) == (name,):
        read_spec(name, directory)
    missing = _untrained_members(name, models)
    if missing:
        trained = " or ".join(each for each in models if each != name)
        raise WeightsMissing(
            f"The ensemble needs all three networks; not trained yet: {', '.join(missing)}.",
            hint=f"Train with `emotion train --model {missing[0]} --data DIR_OR_ZIP`, "
            f"or use {trained or 'another model'}.",
        )
    raise WeightsMissing(
        "The ensemble is not calibrated yet.",
        hint="Run `emotion calibrate --model ensemble --data DIR_OR_ZIP`.",
    )


def how_to_get(name: str, models: Mapping[str, ModelSpec]) -> str:
    """Return what makes the model ``name`` available; empty if it needs nothing."""
    if name in models or name not in BUILT_IN:
        return ""
    if member_names(name) == (name,):
        return f"emotion train --model {name} --data DIR_OR_ZIP"
    missing = _untrained_members(name, models)
    if missing:
        return f"train {', '.join(missing)} first"
    return f"emotion calibrate --model {name} --data DIR_OR_ZIP"


def _untrained_members(name: str, models: Mapping[str, ModelSpec]) -> list[str]:
    return [member for member in member_names(name) if member not in models]
