"""Models and weight files as the manifest describes them.

Files are verified before they are parsed, and never a pickle. A single network is an ensemble of
one.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .calibration import Calibration
from .classifiers import ARCHITECTURES, BUILT_IN, ENSEMBLE, member_names
from .errors import WeightsCorrupt, WeightsMissing
from .faces.alignment import FaceFrame
from .faces.preprocess import Preprocessing
from .files import parse_json, read_bounded
from .labels import EMOTIONS, Reading
from .types import Float32Array

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

MANIFEST_NAME = "manifest.json"
MANIFEST_VERSION = 2
"""Version 1, with one calibration for all readings, can still be read."""
MAX_WEIGHTS_BYTES = 1024**3
"""Of one file; ResNet50 with ImageNet's head has 102 MB."""
_RESTORE = "Restore it with `git checkout -- weights/`"
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
            data = read_bounded(self.file, MAX_WEIGHTS_BYTES)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise WeightsCorrupt(
                f"The weights of {self.name} cannot be read: {reason}.", hint=hint
            ) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise WeightsCorrupt(
                f"The weights of {self.name} differ from the ones that were measured.", hint=hint
            )
        return data

    def load(self) -> dict[str, Tensor]:
        """Return the verified state dict for torch, on the CPU, in its stored precision."""
        from safetensors.torch import load

        return self._parse(load)

    def load_arrays(self) -> dict[str, Float32Array]:
        """Return the verified state dict in float32, without torch."""
        from safetensors.numpy import load

        return {key: value.astype(np.float32) for key, value in self._parse(load).items()}

    def _parse(self, load: Callable[[bytes], dict[str, T]]) -> dict[str, T]:
        from safetensors import SafetensorError

        data = self.read_verified()
        try:
            return load(data)
        except (SafetensorError, KeyError, ValueError) as error:  # e.g. a type that it lacks
            raise WeightsCorrupt(
                f"The weights of {self.name} are not a safetensors file.",
                hint="Export them again with `emotion train`.",
            ) from error


@dataclass(frozen=True, slots=True)
class CheckWeights(StoredWeights):
    """A network that checks faces, as the manifest describes it."""

    thresholds: Mapping[str, float]
    """Score of each of its outputs from which it counts, 0..1."""


@dataclass(frozen=True, slots=True)
class WeightsSpec(StoredWeights):
    """An emotion network of the manifest: everything that must travel with its weights."""

    preprocessing: Preprocessing
    frame: FaceFrame
    calibrations: Mapping[Reading, Calibration]
    speed: Mapping[str, Any]
    """As `emotion evaluate --speed --record` measured it; empty before."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that can answer: its networks, how much each counts, and its calibration."""

    name: str
    members: Mapping[str, WeightsSpec]
    shares: Mapping[str, float]
    """Share of each in the mean of their probabilities."""
    calibrations: Mapping[Reading, Calibration]
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
                "calibrations": _export_calibrations(spec.calibrations),
            }
            for name, spec in self.members.items()
        }
        if len(facts) == 1:
            return facts[self.name]
        return {
            "shares": dict(self.shares),
            "calibrations": _export_calibrations(self.calibrations),
            "members": facts,
        }


@contextmanager
def report_corrupt_file(name: str, *, hint: str) -> Iterator[None]:
    """Raise WeightsCorrupt with ``hint`` if the file ``name`` is unreadable or makes no sense."""
    try:
        yield
    except OSError as error:
        raise WeightsCorrupt(f"{name} cannot be read: {error.strerror}.", hint=hint) from error
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise WeightsCorrupt(f"{name} cannot be understood ({error}).", hint=hint) from error


def parse_document(data: bytes, version: int) -> dict[str, Any]:
    """Return a JSON document; ValueError or the like if it is none of that ``version``."""
    document: dict[str, Any] = parse_json(data)
    if document["schema_version"] != version:
        raise ValueError(f"schema_version {document['schema_version']}")
    return document


@report_corrupt_file(MANIFEST_NAME, hint=f"{_RESTORE}.")
def read_manifest(directory: Path | None = None) -> dict[str, WeightsSpec]:
    """Return every trained network in ``directory`` (None: the shipped ``weights/``), by name."""
    return _parse_networks(_read_document(directory), directory)


@report_corrupt_file(MANIFEST_NAME, hint=f"{_RESTORE}.")
def read_models(directory: Path | None = None) -> dict[str, ModelSpec]:
    """Return every model that can answer, by name: single networks first.

    ``directory`` None is the shipped ``weights/``. WeightsError if the manifest is unusable.
    """
    document = _read_document(directory)
    networks = _parse_networks(document, directory)
    models = {
        name: ModelSpec(
            name, {name: spec}, {name: 1.0}, spec.calibrations, spec.metrics, spec.speed
        )
        for name, spec in networks.items()
    }
    if document.get("ensemble") is not None:
        ensemble = _parse_ensemble(document["ensemble"], networks)
        if networks.keys() >= set(ARCHITECTURES):
            models[ENSEMBLE] = ensemble
    return models


@report_corrupt_file(MANIFEST_NAME, hint=f"{_RESTORE}.")
def read_detectors(directory: Path | None = None) -> dict[str, StoredWeights]:
    """Return our own detectors in ``directory`` (None: the shipped ``weights/``), by name."""
    entries = _read_document(directory).get("detectors", {})
    return {
        name: StoredWeights(**_parse_stored(name, entry, directory))
        for name, entry in entries.items()
    }


def read_check(name: str, directory: Path | None = None) -> CheckWeights:
    """Return the network ``name`` that checks faces.

    It is that in ``directory`` if there is one, else the shipped one; WeightsMissing if there is
    neither.
    """
    found = _read_checks(directory).get(name) or _read_checks(None).get(name)
    if found is None:
        raise WeightsMissing(f"The check {name} is not trained yet.", hint=f"{_RESTORE}.")
    return found


@report_corrupt_file(MANIFEST_NAME, hint=f"{_RESTORE}.")
def _read_checks(directory: Path | None) -> dict[str, CheckWeights]:
    return {
        name: CheckWeights(
            **_parse_stored(name, entry, directory),
            thresholds={part: float(level) for part, level in entry["thresholds"].items()},
        )
        for name, entry in _read_document(directory).get("checks", {}).items()
    }


def _read_document(directory: Path | None) -> dict[str, Any]:
    try:
        data = read_bounded((directory or SHIPPED_DIR) / MANIFEST_NAME)
    except FileNotFoundError as error:
        raise WeightsMissing(
            f"There is no {MANIFEST_NAME} in the weights folder.",
            hint=f"{_RESTORE}, or run `emotion train`.",
        ) from error
    return parse_manifest(data)


def parse_manifest(data: bytes) -> dict[str, Any]:
    """Return a manifest in the current version; ValueError or the like if it is none."""
    document: dict[str, Any] = parse_json(data)
    if document["schema_version"] == 1:
        entries = list(document["models"].values())
        for entry in [*entries, document.get("ensemble")]:
            if entry and "calibration" in entry:
                entry["calibrations"] = dict.fromkeys(map(str, Reading), entry.pop("calibration"))
        document["schema_version"] = MANIFEST_VERSION
    if document["schema_version"] != MANIFEST_VERSION:
        raise ValueError(f"schema_version {document['schema_version']}")
    document["models"].items()
    return document


def _parse_networks(document: dict[str, Any], directory: Path | None) -> dict[str, WeightsSpec]:
    return {
        name: _parse_network(name, entry, directory) for name, entry in document["models"].items()
    }


def _parse_network(name: str, entry: dict[str, Any], directory: Path | None) -> WeightsSpec:
    if tuple(entry["classes"]) != tuple(EMOTIONS):
        raise ValueError(f"{name} was trained for other classes")
    if entry.get("architecture", name) != name:
        raise ValueError(f"{name} is described as {entry['architecture']}")
    return WeightsSpec(
        **_parse_stored(name, entry, directory),
        preprocessing=Preprocessing(**entry["preprocessing"]),
        frame=FaceFrame.from_json(entry["frame"]),
        calibrations=_parse_calibrations(entry),
        speed=entry.get("speed", {}),
    )


def _parse_stored(name: str, entry: dict[str, Any], directory: Path | None) -> dict[str, Any]:
    # No entry may lead to another folder or to a pickle.
    file = entry["file"]
    if not re.fullmatch(r"[\w.-]+\.(safetensors|tflite)", file):
        raise ValueError(f"{name}: expected a .safetensors file beside the manifest, got {file!r}")
    return {
        "name": name,
        "file": (directory or SHIPPED_DIR) / file,
        "size_bytes": int(entry["bytes"]),
        "sha256": str(entry["sha256"]),
        "parameters": int(entry["parameters"]),
        "metrics": entry.get("metrics", {}),
        "training": entry.get("training", {}),
    }


def _parse_calibrations(entry: Mapping[str, Any]) -> dict[Reading, Calibration]:
    return {each: Calibration(**entry["calibrations"][each]) for each in Reading}


def _export_calibrations(calibrations: Mapping[Reading, Calibration]) -> dict[str, object]:
    return {str(reading): asdict(each) for reading, each in calibrations.items()}


def _parse_ensemble(entry: dict[str, Any], networks: Mapping[str, WeightsSpec]) -> ModelSpec:
    shares = {str(name): float(share) for name, share in entry["weights"].items()}
    if not shares.keys() <= networks.keys():
        raise ValueError(f"the ensemble has unknown members, among {', '.join(shares)}")
    if not shares or not all(0 < share < math.inf for share in shares.values()):
        raise ValueError(f"the ensemble's weights must be positive, got {shares}")
    return ModelSpec(
        name=ENSEMBLE,
        members={name: networks[name] for name in shares},
        shares=shares,
        calibrations=_parse_calibrations(entry),
        metrics=entry.get("metrics", {}),
        speed=entry.get("speed", {}),
    )


def read_spec(name: str, directory: Path | None = None) -> WeightsSpec:
    """Return the entry of one network; WeightsMissing says how to train it."""
    networks = read_manifest(directory)
    _require_trained(name, networks)
    return networks[name]


def require_model(name: str, models: Mapping[str, ModelSpec]) -> ModelSpec:
    """Return one of ``models``; WeightsMissing says what to train or calibrate first."""
    _require_trained(name, models)
    if name not in models:
        raise WeightsMissing(
            "The ensemble is not calibrated yet.", hint=f"Run `{how_to_get(name, models)}`."
        )
    return models[name]


def _require_trained(name: str, trained: Collection[str]) -> None:
    if name not in BUILT_IN:
        raise WeightsMissing(
            f"{name} is not a model of this project, so it has no weights or calibration here.",
            hint=f"Use one of {', '.join(BUILT_IN)}.",
        )
    if missing := _list_untrained(name, trained):
        raise WeightsMissing(
            f"{name} is not trained yet."
            if missing == [name]
            else f"The ensemble needs all three networks; not trained yet: {', '.join(missing)}.",
            hint=f"Run `{how_to_get(missing[0], trained)}`, "
            f"or use {' or '.join(trained) or 'another model'}.",
        )


def how_to_get(name: str, trained: Collection[str]) -> str:
    """Return what makes the model ``name`` available; empty if it needs nothing."""
    if name in trained or name not in BUILT_IN:
        return ""
    missing = _list_untrained(name, trained)
    if missing and member_names(name) != (name,):
        return f"train {', '.join(missing)} first"
    return f"emotion {'train' if missing else 'calibrate'} --model {name} --data DIR_OR_ZIP"


def _list_untrained(name: str, trained: Collection[str]) -> list[str]:
    return [member for member in member_names(name) if member not in trained]


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


def find_detector(name: str, directory: Path | None = None) -> StoredWeights:
    """Return the weights of one detector from ``directory``, or the shipped ones if it has none.

    A folder with trained emotion networks need not hold a trained detector.
    """
    return read_detectors(directory).get(name) or read_detector(name)


def read_published(name: str) -> StoredWeights:
    """Return a network of another project; its file is always the shipped one."""
    with report_corrupt_file(MANIFEST_NAME, hint=f"{_RESTORE}."):
        entry = _read_document(None)["published"][name]
        return StoredWeights(**_parse_stored(name, entry, None))
