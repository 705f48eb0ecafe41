"""The models and detectors that can be chosen, with their measured metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .classifiers import ARCHITECTURES, CLASSIFIERS
from .detectors import DETECTORS, DetectorInfo

if TYPE_CHECKING:
    from .weights import ModelSpec


MODEL_TITLES = {
    "mobilenet_v2": "MobileNetV2",
    "resnet50": "ResNet50",
    "inception_v3": "InceptionV3",
    "ensemble": "Ensemble of all three",
}
"""What people read for each model's name."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model as a person chooses it."""

    name: str
    trained: bool
    input_px: int | None
    parameters: int | None
    megabytes: float | None
    metrics: Mapping[str, Any]
    """Metrics by split, as `emotion evaluate --record` stored them; empty if not measured."""
    how_to_get: str
    """What to run if it is not trained; empty otherwise."""
    members: tuple[str, ...]
    """The networks that answer in it; several in an ensemble."""
    speed: Mapping[str, Any] = field(default_factory=dict)
    """Milliseconds per face and faces per second by engine, photos per second, and the machine, as
    `emotion evaluate --speed --record` stored them; empty if not measured."""


def model_names() -> tuple[str, ...]:
    """Return the names of all models."""
    return CLASSIFIERS.names()


def network_names() -> tuple[str, ...]:
    """Return the names of the single networks that this project trains."""
    return ARCHITECTURES


def detector_catalog() -> tuple[DetectorInfo, ...]:
    """Return every face detector with its title and description."""
    return tuple(DETECTORS.info(name) for name in DETECTORS)


def detector_names() -> tuple[str, ...]:
    """Return the names of all face detectors."""
    return DETECTORS.names()


def model_catalog(weights_dir: Path | None = None) -> tuple[ModelInfo, ...]:
    """Return every model, trained or not, in a fixed order; WeightsError without a manifest."""
    from .weights import read_models

    models = read_models(weights_dir)
    return tuple(_describe_model(name, models) for name in model_names())


def _describe_model(name: str, models: Mapping[str, ModelSpec]) -> ModelInfo:
    from .weights import how_to_get

    if name not in models:
        # A model registered from outside needs no training here, and nothing is known of it.
        command = how_to_get(name, models)
        return ModelInfo(name, not command, None, None, None, {}, command, (name,))
    spec = models[name]
    members = list(spec.members.values())
    return ModelInfo(
        name=spec.name,
        trained=True,
        input_px=members[0].preprocessing.input_px if len(members) == 1 else None,
        parameters=sum(each.parameters for each in members),
        megabytes=sum(each.size_bytes for each in members) / 1e6,
        metrics=spec.metrics,
        how_to_get="",
        members=tuple(spec.members),
        speed=spec.speed,
    )
