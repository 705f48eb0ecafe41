"""What can be chosen, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .classifiers import ARCHITECTURES, CLASSIFIERS, ENSEMBLE
from .detectors import DETECTORS

if TYPE_CHECKING:
    from .weights import EnsembleSpec, WeightsSpec


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model as a person chooses it."""

    name: str
    trained: bool
    input_px: int | None
    parameters: int | None
    megabytes: float | None
    metrics: Mapping[str, Any]
    """Figures by split, as `emotion evaluate --record` stored them; empty when not measured."""
    how_to_get: str
    """What to run when it is not trained; empty otherwise."""
    speed: Mapping[str, Any] = field(default_factory=dict)
    """Milliseconds a face and faces a second by engine, photos a second, and on what machine, as
    `emotion evaluate --speed --record` stored them; empty when not measured."""


def model_names() -> tuple[str, ...]:
    """Every model that the command line and the fronts accept."""
    return CLASSIFIERS.names()


def detector_names() -> tuple[str, ...]:
    """Every face detector that can be chosen."""
    return DETECTORS.names()


def model_catalog(weights_dir: Path | None = None) -> tuple[ModelInfo, ...]:
    """Every model, trained or not, in a fixed order; WeightsError if there is no manifest."""
    from .weights import read_ensemble, read_manifest

    specs = read_manifest(weights_dir)
    ensemble = read_ensemble(weights_dir)
    return tuple(
        _ensemble(specs, ensemble) if name == ENSEMBLE else _single(name, specs.get(name))
        for name in model_names()
    )


def _single(name: str, spec: WeightsSpec | None) -> ModelInfo:
    if spec is not None:
        return ModelInfo(
            name=name,
            trained=True,
            input_px=spec.preprocessing.input_px,
            parameters=spec.parameters,
            megabytes=spec.size_bytes / 1e6,
            metrics=spec.metrics,
            how_to_get="",
            speed=spec.speed,
        )
    # One that was registered from outside needs no training here, and nothing is known of it.
    outside = name not in ARCHITECTURES
    command = "" if outside else f"emotion train --model {name} --data DIR_OR_ZIP"
    return ModelInfo(name, outside, None, None, None, {}, command)


def _ensemble(specs: Mapping[str, WeightsSpec], ensemble: EnsembleSpec | None) -> ModelInfo:
    missing = [name for name in ARCHITECTURES if name not in specs]
    if missing or ensemble is None:
        command = "emotion calibrate --model ensemble --data DIR_OR_ZIP"
        how = f"train {', '.join(missing)} first" if missing else command
        return ModelInfo(ENSEMBLE, False, None, None, None, {}, how)
    members = [specs[name] for name in ensemble.weights]
    return ModelInfo(
        name=ENSEMBLE,
        trained=True,
        input_px=None,
        parameters=sum(each.parameters for each in members),
        megabytes=sum(each.size_bytes for each in members) / 1e6,
        metrics=ensemble.metrics,
        how_to_get="",
        speed=ensemble.speed,
    )
