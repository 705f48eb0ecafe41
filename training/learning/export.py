"""Writing a trained network as a weight file with its manifest entry."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import nn

from core.calibration import Calibration
from core.classifiers import ENSEMBLE
from core.classifiers.architectures import EmotionNetwork
from core.errors import WeightsMissing
from core.faces.alignment import FaceFrame
from core.faces.preprocess import Preprocessing
from core.files import atomic_write, read_bounded, write_json
from core.labels import EMOTIONS, Reading
from core.weights import (
    MANIFEST_NAME,
    MANIFEST_VERSION,
    WeightsSpec,
    parse_manifest,
    read_manifest,
    read_spec,
    report_corrupt_file,
)


def export_network(
    network: EmotionNetwork,
    directory: Path,
    *,
    name: str,
    preprocessing: Preprocessing,
    frame: FaceFrame,
    training: Mapping[str, Any],
) -> Path:
    """Write ``<name>.safetensors`` (float16) and its manifest entry; return the file's path.

    The entry starts uncalibrated and without metrics: those are measured on this very file.
    """
    entry = {
        **_write_weights(network, directory, name),
        "architecture": name,
        "classes": list(EMOTIONS),
        "preprocessing": dataclasses.asdict(preprocessing),
        "frame": dataclasses.asdict(frame),
        "calibrations": {str(each): dataclasses.asdict(Calibration()) for each in Reading},
        "metrics": {},
        "speed": {},
        "training": dict(training),
    }
    update_model(directory, name, entry)
    return get_weights_path(directory, name)


def export_detector(
    network: nn.Module, directory: Path, *, name: str, training: Mapping[str, Any]
) -> Path:
    """Write ``<name>.safetensors`` (float16) and its entry in the manifest's detectors."""
    entry = {**_write_weights(network, directory, name), "metrics": {}, "training": dict(training)}
    update_detector(directory, name, entry)
    return get_weights_path(directory, name)


def export_check(
    network: nn.Module,
    directory: Path,
    *,
    name: str,
    thresholds: Mapping[str, float],
    training: Mapping[str, Any],
) -> Path:
    """Write ``<name>.safetensors`` (float16) and its entry in the manifest's checks.

    ``thresholds`` are the scores from which each output counts, 0..1.
    """
    entry = {
        **_write_weights(network, directory, name),
        "thresholds": {str(output): level for output, level in thresholds.items()},
        "metrics": {},
        "training": dict(training),
    }
    update_check(directory, name, entry)
    return get_weights_path(directory, name)


def _write_weights(network: nn.Module, directory: Path, name: str) -> dict[str, Any]:
    """Write the weights, and return the manifest's facts about the file."""
    state = {
        key: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    data = save(state)
    file = get_weights_path(directory, name)
    atomic_write(file, data)
    return {
        "file": file.name,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "parameters": sum(values.numel() for values in network.parameters()),
    }


def get_weights_path(directory: Path, name: str) -> Path:
    """Return where a folder holds the weights of a model."""
    return directory / f"{name}.safetensors"


def read_spec_beside(file: Path) -> WeightsSpec:
    """Return the entry of a weight file in the manifest beside it; WeightsError without one."""
    specs = read_manifest(file.parent)
    for spec in specs.values():
        if spec.file.name == file.name:
            return spec
    raise WeightsMissing(
        f"The manifest beside '{file.name}' has no entry for it.",
        hint=f"It describes {', '.join(spec.file.name for spec in specs.values()) or 'nothing'}.",
    )


def update_model(directory: Path, name: str, changes: Mapping[str, Any]) -> None:
    """Merge ``changes`` into the manifest's entry of a network or of the ensemble.

    Creates manifest and entry if needed. New weights or a new calibration of a network remove the
    ensemble, which was calibrated on the old ones.
    """
    document = _read_manifest(directory)
    if name == ENSEMBLE:
        document.setdefault("ensemble", {}).update(changes)
    else:
        document["models"].setdefault(name, {}).update(changes)
        if {"sha256", "calibrations"} & set(changes):
            document.pop("ensemble", None)
    write_json(directory / MANIFEST_NAME, document)


def update_detector(directory: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Replace the manifest's entry of a detector, and create the manifest if needed."""
    document = _read_manifest(directory)
    document.setdefault("detectors", {})[name] = entry
    write_json(directory / MANIFEST_NAME, document)


def update_check(directory: Path, name: str, changes: Mapping[str, Any]) -> None:
    """Merge ``changes`` into the manifest's entry of a check; create both if needed."""
    document = _read_manifest(directory)
    document.setdefault("checks", {}).setdefault(name, {}).update(changes)
    write_json(directory / MANIFEST_NAME, document)


def _read_manifest(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST_NAME
    if not path.exists():
        return {"schema_version": MANIFEST_VERSION, "models": {}}
    with report_corrupt_file(MANIFEST_NAME, hint=f"It is in {directory}: delete or replace it."):
        return parse_manifest(read_bounded(path))


def read_entry(directory: Path, name: str, kind: str = "models") -> dict[str, Any]:
    """Return an entry of the manifest's ``models``, ``detectors`` or ``checks`` as it is stored."""
    entry: dict[str, Any] = _read_manifest(directory)[kind][name]
    return entry


def publish(name: str, source: Path, destination: Path) -> None:
    """Copy one model's verified file and its manifest entry to ``destination``."""
    data = read_spec(name, source).read_verified()
    entry = read_entry(source, name)
    if os.path.realpath(source) != os.path.realpath(destination):
        atomic_write(destination / entry["file"], data)
        update_model(destination, name, entry)
