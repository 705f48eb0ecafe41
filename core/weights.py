"""Weight files: described by a manifest, verified before they are parsed, never a pickle."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .calibration import Calibration
from .errors import WeightsCorrupt, WeightsMissing
from .faces.alignment import FaceFrame
from .faces.preprocess import Preprocessing
from .labels import EMOTIONS

if TYPE_CHECKING:
    from torch import Tensor

MANIFEST_NAME = "manifest.json"
MANIFEST_VERSION = 1
SHIPPED_DIR = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """A weight file as the manifest describes it."""

    name: str
    file: Path
    size_bytes: int
    sha256: str
    parameters: int
    metrics: Mapping[str, Any]
    training: Mapping[str, Any]

    def read_verified(self) -> bytes:
        """Return the file's bytes if size and SHA-256 match; WeightsMissing or WeightsCorrupt."""
        hint = f"Restore it with `git checkout -- weights/{self.file.name}` or train it again."
        try:
            size = self.file.stat().st_size
        except OSError as error:
            raise WeightsMissing(f"The weights of {self.name} are missing.", hint=hint) from error
        if size != self.size_bytes:
            raise WeightsCorrupt(
                f"The weights of {self.name} have {size} bytes instead of {self.size_bytes}.",
                hint=hint,
            )
        try:
            data = self.file.read_bytes()
        except OSError as error:
            raise WeightsCorrupt(
                f"The weights of {self.name} cannot be read: {error.strerror}.", hint=hint
            ) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise WeightsCorrupt(
                f"The weights of {self.name} differ from the ones that were measured.", hint=hint
            )
        return data

    def load(self) -> dict[str, Tensor]:
        """Return the verified state dict, on the CPU, in its stored precision."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        data = self.read_verified()
        try:
            return load(data)
        except (SafetensorError, KeyError, ValueError) as error:  # e.g. a type that torch lacks
            raise WeightsCorrupt(
                f"The weights of {self.name} are not a safetensors file.",
                hint="Export them again with `emotion train`.",
            ) from error


@dataclass(frozen=True, slots=True)
class WeightsSpec(StoredWeights):
    """An emotion network of the manifest: everything that must travel with its weights."""

    preprocessing: Preprocessing
    frame: FaceFrame
    calibration: Calibration
    speed: Mapping[str, Any]
    """As `emotion evaluate --speed --record` measured it; empty before."""


@dataclass(frozen=True, slots=True)
class EnsembleSpec:
    """How the networks of a manifest form the ensemble."""

    weights: Mapping[str, float]
    """Share of each member in the mean, by name."""
    calibration: Calibration
    metrics: Mapping[str, Any]
    speed: Mapping[str, Any]


def read_manifest(directory: Path | None = None) -> dict[str, WeightsSpec]:
    """Return every trained network in ``directory`` (None: the shipped ``weights/``), by name."""
    directory = directory or SHIPPED_DIR
    models = _read_document(directory)["models"]
    with _parsing_manifest():
        return {name: _parse_spec(name, entry, directory) for name, entry in models.items()}


def read_ensemble(directory: Path | None = None) -> EnsembleSpec | None:
    """Return the ensemble of ``directory``; None if it is not calibrated yet."""
    document = _read_document(directory or SHIPPED_DIR)
    entry = document.get("ensemble")
    if entry is None:
        return None
    with _parsing_manifest():
        shares = {str(name): float(share) for name, share in entry["weights"].items()}
        if not shares.keys() <= document["models"].keys():
            raise ValueError(f"the ensemble has unknown members, among {', '.join(shares)}")
        if not shares or not all(0 < share < math.inf for share in shares.values()):
            raise ValueError(f"the ensemble's weights must be positive, got {shares}")
        return EnsembleSpec(
            weights=shares,
            calibration=Calibration(**entry["calibration"]),
            metrics=entry.get("metrics", {}),
            speed=entry.get("speed", {}),
        )


def _read_document(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise WeightsMissing(
            f"There is no {MANIFEST_NAME} in the weights folder.",
            hint="Restore it with `git checkout -- weights/`, or run `emotion train`.",
        ) from error
    except OSError as error:
        raise WeightsCorrupt(
            f"{MANIFEST_NAME} cannot be read: {error.strerror}.",
            hint="Restore it with `git checkout -- weights/`.",
        ) from error
    with _parsing_manifest():
        document: dict[str, Any] = json.loads(data)
        if document["schema_version"] != MANIFEST_VERSION:
            raise ValueError(f"schema_version {document['schema_version']}")
        document["models"].items()
    return document


@contextmanager
def _parsing_manifest() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsCorrupt(
            f"{MANIFEST_NAME} cannot be understood ({error}).",
            hint="Restore it with `git checkout -- weights/`.",
        ) from error


def _parse_spec(name: str, entry: dict[str, Any], directory: Path) -> WeightsSpec:
    if tuple(entry["classes"]) != tuple(EMOTIONS):
        raise ValueError(f"{name} was trained for other classes")
    if entry.get("architecture", name) != name:
        raise ValueError(f"{name} is described as {entry['architecture']}")
    return WeightsSpec(
        **_parse_stored(name, entry, directory),
        preprocessing=Preprocessing(**entry["preprocessing"]),
        frame=FaceFrame.from_json(entry["frame"]),
        calibration=Calibration(**entry["calibration"]),
        speed=entry.get("speed", {}),
    )


def _parse_stored(name: str, entry: dict[str, Any], directory: Path) -> dict[str, Any]:
    # Whatever the manifest says, no other folder and no pickle is opened.
    file = entry["file"]
    if not re.fullmatch(r"[\w.-]+\.safetensors", file):
        raise ValueError(f"{name}: expected a .safetensors file beside the manifest, got {file!r}")
    return {
        "name": name,
        "file": directory / file,
        "size_bytes": int(entry["bytes"]),
        "sha256": str(entry["sha256"]),
        "parameters": int(entry["parameters"]),
        "metrics": entry.get("metrics", {}),
        "training": entry.get("training", {}),
    }


def read_detectors(directory: Path | None = None) -> dict[str, StoredWeights]:
    """Return our own detectors in ``directory`` (None: the shipped ``weights/``), by name."""
    directory = directory or SHIPPED_DIR
    with _parsing_manifest():
        entries = _read_document(directory).get("detectors", {})
        return {
            name: StoredWeights(**_parse_stored(name, entry, directory))
            for name, entry in entries.items()
        }


def read_detector(name: str, directory: Path | None = None) -> StoredWeights:
    """Return the weights of one detector; WeightsMissing says how to train it."""
    found = read_detectors(directory)
    if name not in found:
        raise WeightsMissing(
            f"The detector {name} is not trained yet.",
            hint="Train it with `emotion detector train --images DIR_OR_ZIP --boxes COCO.json`, or "
            "use --detector mtcnn.",
        )
    return found[name]


def read_spec(name: str, directory: Path | None = None) -> WeightsSpec:
    """Return the entry of one network; WeightsMissing says how to train it."""
    specs = read_manifest(directory)
    if name not in specs:
        raise WeightsMissing(
            f"{name} is not trained yet.",
            hint=f"Train it with `emotion train --model {name} --data DIR_OR_ZIP`, or use "
            f"{' or '.join(specs) or 'another model'}.",
        )
    return specs[name]
