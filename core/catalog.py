"""What can be chosen, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .classifiers import ARCHITECTURES, CLASSIFIERS
from .detectors import DETECTORS


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
    rows = []
    for name in model_names():
        spec = specs.get(name)
        if spec is not None:
            rows.append(
                ModelInfo(
                    name=name,
                    trained=True,
                    input_px=spec.preprocessing.input_px,
                    parameters=spec.parameters,
                    megabytes=spec.size_bytes / 1e6,
                    metrics=spec.metrics,
                    how_to_get="",
                )
            )
        elif name in ARCHITECTURES:
            command = f"emotion train --model {name} --data DIR_OR_ZIP"
            rows.append(ModelInfo(name, False, None, None, None, {}, command))
        else:
            ready = ensemble is not None and all(each in specs for each in ARCHITECTURES)
            members = [specs[each] for each in ARCHITECTURES] if ready else []
            rows.append(
                ModelInfo(
                    name=name,
                    trained=ready,
                    input_px=None,
                    parameters=sum(each.parameters for each in members) if ready else None,
                    megabytes=sum(each.size_bytes for each in members) / 1e6 if ready else None,
                    metrics=ensemble.metrics if ensemble and ready else {},
                    how_to_get="" if ready else "train the three networks first",
                )
            )
    return tuple(rows)
