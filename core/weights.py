"""Weight files: described by a manifest, checked before they are parsed, never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .calibration import Calibration
from .errors import WeightsCorrupt, WeightsMissing
from .imaging.alignment import FaceFrame
from .imaging.preprocess import Preprocessing
from .labels import EMOTIONS

if TYPE_CHECKING:
    from torch import Tensor

MANIFEST_NAME = "manifest.json"
MANIFEST_VERSION = 1
SHIPPED_DIR = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """One entry of the manifest: everything that must travel with a weight file."""

    name: str
    file: Path
    bytes: int
    sha256: str
    preprocessing: Preprocessing
    frame: FaceFrame
    calibration: Calibration
    metrics: Mapping[str, Any]
    training: Mapping[str, Any]

    def read_verified(self) -> bytes:
        """The file's bytes, once size and SHA-256 match; WeightsMissing or WeightsCorrupt."""
        hint = f"Restore it with `git checkout -- weights/{self.file.name}` or train it again."
        try:
            size = self.file.stat().st_size
        except OSError as error:
            raise WeightsMissing(f"The weights of {self.name} are absent.", hint=hint) from error
        if size != self.bytes:
            raise WeightsCorrupt(
                f"The weights of {self.name} have {size} bytes instead of {self.bytes}.", hint=hint
            )
        data = self.file.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise WeightsCorrupt(
                f"The weights of {self.name} differ from the ones that were measured.", hint=hint
            )
        return data

    def load(self) -> dict[str, Tensor]:
        """The verified state dict, on the CPU, in the precision it is stored in."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        data = self.read_verified()
        try:
            return load(data)
        except SafetensorError as error:
            raise WeightsCorrupt(
                f"The weights of {self.name} are no safetensors file.",
                hint="Export them again with `emotion train`.",
            ) from error


def read_manifest(directory: Path | None = None) -> dict[str, WeightsSpec]:
    """Every trained model described in ``directory`` (default: the shipped ``weights/``), by name."""
    directory = directory or SHIPPED_DIR
    path = directory / MANIFEST_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise WeightsMissing(
            f"There is no {MANIFEST_NAME} in the weights folder.",
            hint="Restore it with `git checkout -- weights/`, or train a model with `emotion train`.",
        ) from error
    try:
        document = json.loads(text)
        if document["schema_version"] != MANIFEST_VERSION:
            raise ValueError(f"schema_version {document['schema_version']}")
        models = document["models"].items()
        return {name: _spec(name, entry, directory) for name, entry in models}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsCorrupt(
            f"{MANIFEST_NAME} cannot be understood ({error}).",
            hint="Restore it with `git checkout -- weights/`.",
        ) from error


def _spec(name: str, entry: dict[str, Any], directory: Path) -> WeightsSpec:
    if tuple(entry["classes"]) != tuple(EMOTIONS):
        raise ValueError(f"{name} was trained for other classes")
    file = entry["file"]
    if Path(file).name != file:
        raise ValueError(f"{name}: a weight file lies beside the manifest, not at {file!r}")
    return WeightsSpec(
        name=name,
        file=directory / file,
        bytes=int(entry["bytes"]),
        sha256=str(entry["sha256"]),
        preprocessing=Preprocessing(**entry["preprocessing"]),
        frame=FaceFrame.from_json(entry["frame"]),
        calibration=Calibration(**entry["calibration"]),
        metrics=entry.get("metrics", {}),
        training=entry.get("training", {}),
    )


def spec_of(name: str, directory: Path | None = None) -> WeightsSpec:
    """The entry of one model; WeightsMissing tells how to train it."""
    specs = read_manifest(directory)
    if name not in specs:
        raise WeightsMissing(
            f"{name} is not trained yet.",
            hint=f"Train it with `emotion train --model {name} --data DIR_OR_ZIP`, or use "
            f"{' or '.join(specs) or 'another model'}.",
        )
    return specs[name]
